"""Figures of a comparison of cells: curves and intervals per task, a metric against a key, scores over tasks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

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
    path: Path, task: str, metric: str, lines: Mapping[str, Estimates], baselines: Mapping[str, float]
) -> None:
    """Validation metrics over optimiser steps, a line per cell."""
    title = f"{task}: validation {metric} by cell"
    _draw_lines(path, lines, "optimiser steps", f"validation {metric}", title, baselines)


def draw_test(
    path: Path, task: str, metric: str, estimates: Mapping[str, Estimate], baselines: Mapping[str, float]
) -> None:
    """Test metrics, a dot with its interval per cell."""
    title = f"{task}: test {metric}, interquartile mean and 95 % interval"
    intervals(path, estimates, x_label=f"test {metric}", title=title, baselines=baselines)


def draw_by_key(
    path: Path, task: str, metric: str, key: str, lines: Mapping[str, Estimates], baselines: Mapping[str, float] | None
) -> None:
    """Test metrics against a configuration key, a line per cell."""
    _draw_lines(path, lines, key, f"test {metric}", f"{task}: test {metric} by {key}", baselines)


def draw_scores(path: Path, scores: Mapping[str, tuple[float | None, float | None, float | None]]) -> None:
    """Normalised scores over all tasks, a dot with its interval per cell."""
    intervals(path, scores, x_label="score: 0 is the best baseline, 1 the best run", title="All tasks")


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
