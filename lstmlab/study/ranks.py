"""Average ranks of cells over tasks, and which of them can be told apart (Demšar 2006, JMLR 7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import friedmanchisquare, rankdata, studentized_range

from lstmlab.study.verdicts import ALPHA


@dataclass(frozen=True)
class Ranks:
    """Average ranks; 1 is the best."""

    average: dict[str, float]
    """of every cell"""
    tasks: int
    critical_difference: float
    """cells whose average ranks differ by less are not told apart at 5 % (Nemenyi's test)"""
    p: float | None
    """of Friedman's test that all cells rank alike; None below three cells"""

    def line(self) -> str:
        """What the ranks say, in plain words."""
        ordered = sorted(self.average, key=lambda label: self.average[label])
        best = ordered[0]
        near = [x for x in ordered[1:] if self.average[x] - self.average[best] < self.critical_difference]
        told = f"not told apart from {best}: {', '.join(near)}" if near else f"{best} is better than all others"
        friedman = f"Friedman p = {self.p:.2g}, " if self.p is not None else ""
        return (
            f"over tasks: by average rank {told} ({friedman}critical difference {self.critical_difference:.2f} ranks "
            f"of {len(ordered)}, Nemenyi, {self.tasks} tasks, {100 * ALPHA:.0f} % level)"
        )


def rank_cells(tasks: Sequence[Mapping[str, Sequence[float]]]) -> Ranks:
    """The average ranks of at least two cells by their losses ``{cell: [runs]}`` in each task.

    In a task all runs are ranked together, those that failed (infinite) last, and cells are ranked by the mean rank
    of their runs.
    """
    labels = list(tasks[0])
    table = np.array([_in_task([of_task[label] for label in labels]) for of_task in tasks])
    p = float(friedmanchisquare(*table.T).pvalue) if len(labels) > 2 and np.ptp(table, axis=1).any() else None
    average = dict(zip(labels, map(float, table.mean(0)), strict=True))
    return Ranks(average, len(tasks), critical_difference(len(labels), len(tasks)), p)


def critical_difference(cells: int, tasks: int) -> float:
    """That of Nemenyi's test of all pairs, in ranks."""
    q = studentized_range.isf(ALPHA, cells, np.inf) / np.sqrt(2)
    return float(q * np.sqrt(cells * (cells + 1) / (6 * tasks)))


def groups(average: Sequence[float], difference: float) -> list[tuple[int, int]]:
    """First and last index of the largest groups in sorted average ranks within which no two differ by as much."""
    found: list[tuple[int, int]] = []
    for first, low in enumerate(average):
        last = max(i for i, rank in enumerate(average) if rank - low < difference)
        if last > first and (not found or last > found[-1][1]):
            found.append((first, last))
    return found


def _in_task(runs: Sequence[Sequence[float]]) -> np.ndarray:
    # Six digits: what float32 rounds is a tie.
    every = np.array([float(f"{loss:.6g}") for own in runs for loss in own])
    ends = np.cumsum([len(own) for own in runs])[:-1]
    return rankdata([part.mean() for part in np.split(rankdata(every), ends)])
