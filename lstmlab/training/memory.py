"""How many members of a population fit into a device's memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lstmlab.training.member import MemberRun
from lstmlab.training.programs import Programs

# What is left free: for data, for evaluation, for what the estimate does not see.
SHARE = 0.8


def lanes_that_fit(programs: Programs, runs: Sequence[MemberRun], device: Any) -> int:
    """The most lanes of one program, by the compiler's estimate for all runs; at least 1."""
    free = free_bytes(device)
    if len(runs) == 1 or free is None:
        return len(runs)
    training = runs[0].config.training
    steps = min(training.log_every, training.steps)
    needed = programs.advance_bytes(len(runs), runs[0].member, programs.data("train", device), steps)
    if needed is None or needed <= SHARE * free:
        return len(runs)
    return max(int(len(runs) * SHARE * free / needed), 1)


def free_bytes(device: Any) -> int | None:
    """Memory that is free on a device, or ``None`` where nobody says."""
    stats = device.memory_stats()
    if stats and "bytes_limit" in stats:
        return stats["bytes_limit"] - stats.get("bytes_in_use", 0)
    memory = Path("/proc/meminfo")
    if device.platform == "cpu" and memory.exists():
        available = next(line for line in memory.read_text().splitlines() if line.startswith("MemAvailable"))
        return int(available.split()[1]) * 1024
    return None
