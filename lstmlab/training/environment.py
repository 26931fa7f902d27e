"""The environment of a run: device, versions, code revision; and the cache of compiled programs."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import jax
import platformdirs


def describe_environment() -> dict[str, Any]:
    """Device, versions and the git revision of the code, as they are written to ``summary.json``."""
    device = jax.devices()[0]
    names = ("lstmlab", "jax", "jaxlib", "flax", "optax")
    return {
        "device": f"{device.platform}: {device.device_kind}",
        "devices": jax.device_count(),
        "processes": jax.process_count(),
        "versions": {name: importlib.metadata.version(name) for name in names} | {"python": platform.python_version()},
        "git_revision": git_revision(),
    }


def git_revision() -> str | None:
    """Commit of the checkout that this package runs from, ``-dirty`` with local changes; ``None`` outside one."""
    package = Path(__file__).resolve().parents[1]
    if not (package.parent / ".git").exists():
        return None
    command = ["git", "-C", str(package), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def use_compilation_cache() -> None:
    """Keep compiled programs in ``$LSTMLAB_CACHE_DIR`` or the user's cache, so that a second run starts sooner."""
    directory = os.environ.get("LSTMLAB_CACHE_DIR") or str(Path(platformdirs.user_cache_dir("lstmlab")) / "programs")
    jax.config.update("jax_compilation_cache_dir", directory)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.5)
