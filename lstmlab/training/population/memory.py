"""How many members of a population fit into a device's memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lstmlab.training.compiled import CompiledRun
from lstmlab.training.recorder import Recorder

# Of the free memory; the rest is for data, for evaluation, and for what the estimate does not count.
SHARE = 0.8


def members_that_fit(compiled: CompiledRun, recorders: Sequence[Recorder], device: Any) -> int:
    """The most members of one program, by the compiler's estimate for all of them; at least 1."""
    free = free_bytes(device)
    if len(recorders) == 1 or free is None:
        return len(recorders)
    training = recorders[0].config.training
    steps = min(training.log_every, training.steps)
    needed = compiled.advance_bytes(len(recorders), recorders[0].values, compiled.data("train", device), steps)
    if needed is None or needed <= SHARE * free:
        return len(recorders)
    return max(int(len(recorders) * SHARE * free / needed), 1)


def free_bytes(device: Any) -> int | None:
    """Memory that is free on a device, or ``None`` where that is unknown."""
    stats = device.memory_stats()
    if stats and "bytes_limit" in stats:
        return stats["bytes_limit"] - stats.get("bytes_in_use", 0)
    memory = Path("/proc/meminfo")
    if device.platform == "cpu" and memory.exists():
        available = next(
            line for line in memory.read_text(encoding="utf-8").splitlines() if line.startswith("MemAvailable")
        )
        return int(available.split()[1]) * 1024
    return None
