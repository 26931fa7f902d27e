"""The machine on which a benchmark ran: processor, device, load, versions."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
from pathlib import Path
from typing import Any

import jax

PACKAGES = ("lstmlab", "jax", "jaxlib", "flax", "optax", "keras", "torch", "numpy")
SETTINGS = ("XLA_FLAGS", "OMP_NUM_THREADS", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")


def cores() -> int:
    """Cores that this process may use, which a container or batch system can restrict."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def load() -> float | None:
    """Mean number of runnable processes over the last minute; None where the system does not tell."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def describe() -> dict[str, Any]:
    """Processor, device, and the environment variables that change timings."""
    device = jax.devices()[0]
    return {
        "name": _name(device),
        "platform": device.platform,
        "device": device.device_kind,
        "cpu": cpu(),
        "cores": cores(),
        "system": platform.system(),
        "environment": {name: os.environ[name] for name in SETTINGS if name in os.environ},
    }


def versions() -> dict[str, str]:
    """Versions of Python and of those packages that are installed."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def slug(name: str) -> str:
    """A name for files and markers: ``AMD EPYC, 2 cores`` gives ``amd-epyc-2-cores``."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _name(device: Any) -> str:
    if device.platform == "cpu":
        return f"{cpu()}, {cores()} cores"
    return device.device_kind


def cpu() -> str:
    """The model of the processor."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        model = re.search(r"^model name\s*:\s*(.+)$", info.read_text(), re.MULTILINE)
        if model:
            return model[1].strip()
    return platform.processor() or platform.machine()
