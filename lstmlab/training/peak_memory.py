"""The largest memory that the process of a run has held."""

from __future__ import annotations

import sys
from pathlib import Path

import jax

_KIB = 1024
_STATUS = Path("/proc/self/status")


def peak_memory() -> dict[str, int | None]:
    """Peaks in bytes since the process began, for ``summary.json``.

    * ``host``: resident memory of the process, as the system counts it; None on Windows, which has no ``getrusage``.
    * ``device``: memory in use on the device of this process that has held most; None where JAX does not say, as on
      CPUs, whose memory is the host's.

    Runs that share a process, as those of a population do, share its peaks.
    """
    return {"host": _host(), "device": _device()}


def _host() -> int | None:
    # Linux counts for getrusage from the peak of the process that has started this one, and here from zero.
    if _STATUS.exists():
        lines = _STATUS.read_text(encoding="utf-8").splitlines()
        peak = next((line for line in lines if line.startswith("VmHWM:")), None)
        if peak is not None:
            return int(peak.split()[1]) * _KIB
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * _KIB  # macOS counts bytes, the others KiB


def _device() -> int | None:
    stats = [device.memory_stats() or {} for device in jax.local_devices()]
    peaks = [each["peak_bytes_in_use"] for each in stats if "peak_bytes_in_use" in each]
    return max(peaks, default=None)
