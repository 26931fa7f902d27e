"""Learning curves."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from lstmlab.plots.comparison import better
from lstmlab.plots.curves import spans_decades
from lstmlab.report.blocks import Figure, Section
from lstmlab.report.collected import LOSS, Collected
from lstmlab.report.figures.curves import Curve, learning_curves
from lstmlab.study.curves import Table, goal_of, mean_curves, metric_of
from lstmlab.study.draw import best_baseline_of
from lstmlab.study.runs import Run
from lstmlab.study.tuning import Chosen


def curves(collected: Collected) -> Section:
    """The validation metric and the training loss over steps, for each task."""
    blocks = []
    for task, of_task in collected.tasks.items():
        metric = metric_of(of_task)
        # The curves are of the validation split, baselines of the test split.
        on_test = {f"{name}, on test": value for name, value in best_baseline_of(of_task).items()}
        blocks += _figure(f"{task}: validation {metric}", f"validation/{metric}", of_task, collected, on_test)
        blocks += _figure(f"{task}: training loss", LOSS, of_task, collected, {})
    return Section("curves", "Learning curves", blocks)


def _figure(
    title: str, name: str, of_task: list[Chosen], collected: Collected, baselines: Mapping[str, float]
) -> list[Figure]:
    tables = {
        chosen.entry.label: [collected.logged[run.directory][name] for run in chosen.setting.finished]
        for chosen in of_task
    }  # fmt: skip
    lines, band = mean_curves(tables)
    if all(len(np.atleast_1d(line.xs)) < 2 for line in lines.values()):  # one point is in the table already
        return []
    shown = {}
    for chosen in of_task:
        label = chosen.entry.label
        if label in lines:
            own = chosen.setting
            failed = [run for run in own.ended if not run.finished]
            runs, ended = _runs(own.finished, name, collected), _runs(failed, name, collected)
            line = lines[label]
            banded = len(own.finished) > 1
            lows, highs, cut = (line.lows, line.highs, _cut(line.xs, line.lows, runs)) if banded else (None,) * 3
            shown[label] = Curve(line.xs, line.values, lows, highs, runs, ended, log_lows=cut)
    label = name.replace("/", " ")
    figure = learning_curves(shown, collected.styles, y_label=label, baselines=baselines)
    ends = "; ".join(f"{key} ends at {_last(curve):.4g}" for key, curve in shown.items())
    goal = "min" if name == LOSS else goal_of(of_task)
    decades = goal == "min" and spans_decades([curve.ys for curve in shown.values()])
    if any(line.lows is not None and np.any(np.asarray(line.lows) <= 0) for line in lines.values()):
        band += ", on a log scale cut at the lowest run where it reaches 0"
    return [
        Figure(
            figure,
            f"{title} ({band}; {better(goal)})",
            f"{title} over optimiser steps: {ends}",
            log=True,
            log_first=decades,
        )
    ]


def _cut(xs: Any, lows: Any, runs: Mapping[str, tuple[list[int], list[float]]]) -> Any:
    """The lower ends of a band, those at 0 and below raised to the lowest run there, if all runs are above 0.

    A t interval does not know that losses are positive, and a logarithmic axis has no place for its lower end.
    """
    tables = [dict(zip(*run, strict=True)) for run in runs.values()]
    if lows is None or not tables or any(y <= 0 for table in tables for y in table.values()):
        return lows
    lowest = [min((table[x] for table in tables if x in table), default=low) for x, low in zip(xs, lows, strict=True)]
    return np.where(np.asarray(lows) <= 0, lowest, lows)


def _runs(runs: list[Run], name: str, collected: Collected) -> dict[str, tuple[list[int], list[float]]]:
    tables: dict[str, Table] = {f"seed {run.seed}": collected.logged[run.directory][name] for run in runs}
    return {key: (list(table), list(table.values())) for key, table in tables.items() if table}


def _last(curve: Curve) -> float:
    values = [float(y) for y in curve.ys if math.isfinite(y)]  # type: ignore[union-attr]
    return values[-1] if values else math.nan
