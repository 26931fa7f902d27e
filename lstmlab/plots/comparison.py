"""Figures of a comparison of cells: curves and intervals per task, a metric against a key, scores over tasks.

Names are labels of a comparison, best first, and have the colour of their cell
(:mod:`lstmlab.plots.cell_styles`). Metrics that fall by decades have a logarithmic axis.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lstmlab.plots.cell_styles import MOST_COLOURED, Look, looks, of_labels
from lstmlab.plots.curves import curves, spans_decades
from lstmlab.plots.intervals import intervals


class Estimates(NamedTuple):
    """Estimates with their intervals, along an axis: four arrays ``[n]``."""

    xs: ArrayLike
    values: ArrayLike
    lows: ArrayLike
    highs: ArrayLike


Estimate = tuple[float, float | None, float | None]
"""(value, low, high); low and high are None where there is no interval"""


def draw_validation(
    path: Path,
    task: str,
    metric: str,
    goal: str,
    lines: Mapping[str, Estimates],
    baselines: Mapping[str, float],
    band: str,
) -> None:
    """Validation metrics over optimiser steps, a line per cell; ``band`` says what line and band are."""
    title = f"{task}: validation {metric} by cell ({band})"
    _draw_lines(path, lines, "optimiser steps", f"validation {metric}", goal, title, baselines)


def draw_metric(
    path: Path,
    task: str,
    metric: str,
    goal: str,
    estimates: Mapping[str, Estimate],
    baselines: Mapping[str, float],
    statistic: str,
) -> None:
    """Metrics, a dot with its interval per cell.

    ``metric`` has its split before it; ``statistic`` names the dot and the number of its runs.
    """
    shown = any(low is not None for _, low, _ in estimates.values())
    title = f"{task}: {metric}, {statistic}{' and 95 % t interval' if shown else ''}"
    label = f"{metric} ({better(goal)})"
    intervals(path, estimates, x_label=label, title=title, baselines=baselines, looks=looks(of_labels(estimates)))


def draw_by_key(
    path: Path,
    task: str,
    metric: str,
    goal: str,
    key: str,
    lines: Mapping[str, Estimates],
    baselines: Mapping[str, float] | None,
    statistic: str,
) -> None:
    """Metrics against a configuration key, a line per cell; ``metric`` and ``statistic`` as in :func:`draw_metric`."""
    _draw_lines(path, lines, key, metric, goal, f"{task}: {metric} by {key}, {statistic}", baselines)


def draw_scores(path: Path, scores: Mapping[str, tuple[float | None, float | None, float | None]]) -> None:
    """Normalised scores over all tasks, a dot with its interval per cell."""
    label = "score: 0 is the best baseline, 1 the reference (higher is better)"
    intervals(path, scores, x_label=label, title="All tasks", looks=looks(of_labels(scores)))


def draw_profiles(path: Path, scores: Mapping[str, Sequence[Sequence[float]]]) -> None:
    """Performance profiles (Agarwal et al. 2021): the share of runs that reach a score, mean over tasks.

    ``scores`` are those of every cell ``[tasks][runs]``.
    """
    highest = max(score for tasks in scores.values() for runs in tasks for score in runs)
    at = np.linspace(-1.0, max(1.0, highest), 301)
    lines = {
        name: (at, np.mean([(np.asarray(runs) >= at[:, None]).mean(1) for runs in tasks], axis=0))
        for name, tasks in scores.items()
    }
    title = "Performance profiles over all tasks (higher is better)"
    curves(
        path, lines, x_label="score", y_label="share of runs with at least this score", title=title,
        looks=_best_coloured(lines),
    )  # fmt: skip


def better(goal: str | None) -> str:
    """Which direction of a metric is good, in words."""
    return "higher is better" if goal == "max" else "lower is better"


def _best_coloured(names: Mapping[str, object]) -> dict[str, Look]:
    return looks(of_labels(names), coloured=list(names)[:MOST_COLOURED])


def _draw_lines(
    path: Path,
    lines: Mapping[str, Estimates],
    x_label: str,
    metric: str,
    goal: str,
    title: str,
    baselines: Mapping[str, float] | None,
) -> None:
    log_y = goal == "min" and spans_decades([line.values for line in lines.values()])
    curves(
        path, {name: (line.xs, line.values) for name, line in lines.items()}, x_label=x_label,
        y_label=f"{metric} ({better(goal)})", title=title, baselines=baselines, log_y=log_y,
        bands={name: (line.lows, line.highs) for name, line in lines.items()}, looks=_best_coloured(lines),
    )  # fmt: skip
