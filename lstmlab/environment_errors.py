"""Errors that the environment of the process causes, in one line that names the variable or the limit."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

from lstmlab.printable import shown

_NO_MEMORY = ("failed to map segment", "Cannot allocate memory", "RESOURCE_EXHAUSTED", "Out of memory", "bad_alloc",
              "Unable to allocate", "can't start new thread")  # fmt: skip
DISABLED_JIT = "JAX_DISABLE_JIT is set, but training runs compiled functions only: unset it"
LEAST_MEMORY = 1792 * 2**20
"""Address space [bytes] that the libraries and threads of a tiny run take on two cores; 1600 MiB were too little."""
_READS_FLAGS = "from jaxlib import xla_client; xla_client.CompileOptions()"


def environment_line(error: BaseException) -> str | None:
    """One line for an error whose cause is a variable or a limit of the environment; ``None`` for every other."""
    text = "\n".join(f"{type(each).__name__}: {each}" for each in _chain(error))
    if "File too large" in text:
        return _file_limit(f"{error.filename}: " if isinstance(error, OSError) and error.filename else "")
    if isinstance(error, MemoryError) or any(sign in text for sign in _NO_MEMORY):
        return _memory_limit(text)
    if "Disable jit is not supported" in text and os.environ.get("JAX_DISABLE_JIT"):
        return DISABLED_JIT
    if (platforms := os.environ.get("JAX_PLATFORMS")) and _raised_by_jax(error):
        return f"JAX_PLATFORMS is '{shown(platforms)}', but JAX finds no such device here{_available()}"
    for name, value in os.environ.items() if _raised_by_jax(error) else ():
        # JAX names the variable, or the flag that it sets in small letters.
        if name.startswith("JAX_") and re.search(rf"\b{re.escape(name)}\b", text, re.IGNORECASE):
            return f"{name} is '{shown(value)}', which JAX refuses: {shown(_last_line(error), 200)}"
    return None


def wrong_xla_flags() -> str | None:
    """One line where XLA refuses ``XLA_FLAGS``; ``None`` where it takes them.

    XLA ends the process over a wrong flag, without an exception, so that another process has to try. Takes a second.
    """
    flags = os.environ.get("XLA_FLAGS")
    if not flags:
        return None
    tried = subprocess.run([sys.executable, "-c", _READS_FLAGS], capture_output=True, check=False)
    lines = tried.stderr.decode(errors="replace").splitlines()
    reasons = [match[1] for line in lines if (match := re.match(r"[EF]\d+ [^]]*\] (.*)", line))]
    if not tried.returncode or not reasons:
        return None
    return f"XLA_FLAGS is '{shown(flags)}', which XLA refuses: {shown(reasons[0], 200)}"


def too_little_memory() -> str | None:
    """One line where the limit of the process leaves no room for JAX, whose threads would then end the process."""
    limit = _limit("RLIMIT_AS")
    if limit is None or limit >= LEAST_MEMORY:
        return None
    return f"{_memory_limit('')} to at least {LEAST_MEMORY / 2**20:.0f} MiB"


def _file_limit(where: str) -> str | None:
    limit = _limit("RLIMIT_FSIZE")
    if limit is None:
        return None
    return f"{where}file too large: the limit of this process (ulimit -f) is {limit / 1024:.0f} KiB per file: raise it"


def _memory_limit(text: str) -> str | None:
    limits = {flag: _limit(name) for flag, name in (("-v", "RLIMIT_AS"), ("-d", "RLIMIT_DATA"))}
    if "thread" in text and limits["-v"] is None and (most := _limit("RLIMIT_NPROC")) is not None:
        return f"no thread can be started: the limit of this user (ulimit -u) is {most}: raise it"
    for flag, limit in limits.items():
        if limit is not None:
            return f"out of memory: the limit of this process (ulimit {flag}) is {limit / 2**20:.0f} MiB: raise it"
    return None


def _limit(name: str) -> int | None:
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return None
    soft, _ = resource.getrlimit(getattr(resource, name))
    return None if soft == resource.RLIM_INFINITY else soft


def _available() -> str:
    """The platforms that JAX finds by itself, in brackets."""
    import jax

    asked = jax.config.jax_platforms  # type: ignore[attr-defined]
    with contextlib.suppress(Exception):
        jax.config.update("jax_platforms", "")
        found = ", ".join(dict.fromkeys(device.platform for device in jax.devices()))
        jax.config.update("jax_platforms", asked)
        return f" (available: {found}); unset it to use these"
    return ""


def _raised_by_jax(error: BaseException) -> bool:
    """Whether JAX itself raised it, where it reads its variables and starts its devices."""
    files = [frame.filename for each in _chain(error) for frame in traceback.extract_tb(each.__traceback__)[-1:]]
    return any(Path(file).parts[-3:-1] == ("jax", "_src") for file in files)


def _last_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _chain(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__
