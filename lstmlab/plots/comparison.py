"""Figures of a comparison of cells: curves and intervals per task, a metric against a key, scores over tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lstmlab.plots.curves import curves
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
    path: Path, task: str, metric: str, lines: Mapping[str, Estimates], baselines: Mapping[str, float], band: str
) -> None:
    """Validation metrics over optimiser steps, a line per cell; ``band`` says what line and band are."""
    title = f"{task}: validation {metric} by cell ({band})"
    _draw_lines(path, lines, "optimiser steps", f"validation {metric}", title, baselines)


def draw_metric(
    path: Path,
    task: str,
    metric: str,
    estimates: Mapping[str, Estimate],
    baselines: Mapping[str, float],
    statistic: str,
) -> None:
    """Metrics, a dot with its interval per cell; ``metric`` has its split before it, ``statistic`` names the dot."""
    shown = any(low is not None for _, low, _ in estimates.values())
    title = f"{task}: {metric}, {statistic}{' and 95 % t interval' if shown else ''}"
    intervals(path, estimates, x_label=metric, title=title, baselines=baselines)


def draw_by_key(
    path: Path, task: str, metric: str, key: str, lines: Mapping[str, Estimates], baselines: Mapping[str, float] | None
) -> None:
    """Metrics against a configuration key, a line per cell; ``metric`` has its split before it."""
    _draw_lines(path, lines, key, metric, f"{task}: {metric} by {key}", baselines)


def draw_scores(path: Path, scores: Mapping[str, tuple[float | None, float | None, float | None]]) -> None:
    """Normalised scores over all tasks, a dot with its interval per cell."""
    intervals(path, scores, x_label="score: 0 is the best baseline, 1 the reference", title="All tasks")


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
    title = "Performance profiles over all tasks"
    curves(path, lines, x_label="score", y_label="share of runs with at least this score", title=title)


def _draw_lines(
    path: Path,
    lines: Mapping[str, Estimates],
    x_label: str,
    y_label: str,
    title: str,
    baselines: Mapping[str, float] | None,
) -> None:
    curves(
        path, {name: (line.xs, line.values) for name, line in lines.items()}, x_label=x_label, y_label=y_label,
        title=title, baselines=baselines, bands={name: (line.lows, line.highs) for name, line in lines.items()},
    )  # fmt: skip
