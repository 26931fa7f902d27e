"""The panels of the page: figures of reports, filled from the runs that are shown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from scipy.special import stdtrit

from lstmlab.dashboard.choose import short, varied_keys
from lstmlab.dashboard.curves import SPEED, Series, group_curve, in_seconds
from lstmlab.dashboard.run import FINISHED, Run
from lstmlab.dashboard.watch import Watch
from lstmlab.report.figures import (
    DASHES,
    Curve,
    Point,
    Row,
    Style,
    cell_styles,
    intervals,
    learning_curves,
    parallel_coordinates,
    theme,
    time_against_quality,
)

MOST_SINGLE = 40
"""lines of single runs in one figure"""
Groups = Mapping[str, Sequence[Run]]


def styles(groups: Groups, cells: Iterable[str]) -> dict[str, Style]:
    """The colour of the cell, whatever is filtered: ``cells`` are those of all runs.

    Groups of one cell share its colour and differ in dashes; groups of several cells have colours of their own.
    """
    by_cell = cell_styles({cell: cell for cell in cells})
    own = cell_styles({name: name for name in groups})
    taken = {(look.colour, look.dash) for look in by_cell.values()}
    seen: set[str] = set()
    result = {}
    for name, runs in groups.items():
        of_group = {run.cell for run in runs}
        cell = of_group.pop() if len(of_group) == 1 else ""
        if cell not in by_cell:
            result[name] = own[name]
            continue
        look = by_cell[cell]
        if cell in seen:
            free = [dash for dash in DASHES if (look.colour, dash) not in taken]
            look = look._replace(dash=free[0] if free else DASHES[len(result) % len(DASHES)])
        seen.add(cell)
        taken.add((look.colour, look.dash))
        result[name] = look
    return result


def curves_figure(
    watch: Watch, groups: Groups, metric: str, looks: Mapping[str, Style], *, seconds: bool, log_y: bool
) -> go.Figure:
    """The curves of one metric: a line per group, with single runs behind it where they are few."""
    shown = [run for runs in groups.values() for run in runs if metric in run.last]
    ids = [run.id for run in shown]
    series: dict[str, Series] = watch.curves(ids, metric)
    if seconds:
        speeds = watch.curves(ids, SPEED)
        series = {run: in_seconds(curve, speeds[run]) for run, curve in series.items() if run in speeds}
    single = len(shown) <= MOST_SINGLE
    curves = {name: group_curve(runs, series, single=single) for name, runs in groups.items()}
    curves = {name: curve for name, curve in curves.items() if len(np.asarray(curve.xs))}
    return learning_curves(
        curves, looks, x_label="seconds of training" if seconds else "optimiser steps", y_label=metric, log_y=log_y,
        most_single=MOST_SINGLE, baselines=_baselines(shown, metric),
    )  # fmt: skip


def single_figure(watch: Watch, run: Run, metric: str, look: Style) -> go.Figure:
    """One metric of one run."""
    xs, ys = watch.curve(run.id, metric)
    figure = learning_curves({run.name: Curve(xs, ys)}, {run.name: look}, y_label=metric)
    if len(ys) and (ys == ys[0]).all():  # the axis would reach from -1 to 1, as of a learning rate of 0.002
        figure.update_yaxes(range=sorted([0.0, 2.0 * ys[0]]) if ys[0] else [-1.0, 1.0])
    return figure


def results_figure(groups: Groups, looks: Mapping[str, Style]) -> go.Figure | None:
    """Test results of the finished runs by group, with 95 % t intervals from three runs on; ``None`` without any."""
    finished = {name: [run for run in runs if _has_value(run)] for name, runs in groups.items()}
    every = [run for runs in finished.values() for run in runs]
    if not every:
        return None
    metric = str(every[0].summary.get("metric"))
    rows = {name: _row([float(run.summary["value"]) for run in runs]) for name, runs in finished.items() if runs}
    return intervals(rows, looks, x_label=f"test {metric}", baselines=_baselines(every, f"validation/{metric}"))


def cost_figure(groups: Groups, looks: Mapping[str, Style]) -> go.Figure | None:
    """Test results against seconds of training; ``None`` without finished runs."""
    points = {
        name: [
            Point(float(run.summary["seconds"]["train"]), float(run.summary["value"]), run.name)
            for run in runs
            if _has_value(run) and isinstance((run.summary.get("seconds") or {}).get("train"), (int, float))
        ]
        for name, runs in groups.items()
    }
    points = {name: own for name, own in points.items() if own}
    if not points:
        return None
    metric = next(str(run.summary["metric"]) for runs in groups.values() for run in runs if _has_value(run))
    return time_against_quality(points, looks, y_label=f"test {metric}")


def keys_figure(groups: Groups) -> go.Figure | None:
    """A line per finished run through the keys in which they differ; ``None`` for fewer than three runs, or no keys."""
    runs = [run for own in groups.values() for run in own if _has_value(run)]
    keys = [key for key in varied_keys(runs) if all(key in run.config for run in runs)][:8]
    if len(runs) < 3 or not keys:
        return None
    columns = {short(key): [run.config[key] for run in runs] for key in keys}
    return parallel_coordinates(
        columns, [float(run.summary["value"]) for run in runs], metric=f"test {runs[0].summary.get('metric')}",
        goal=str(runs[0].summary.get("goal", "min")), log=[name for name in columns if _spans_decades(columns[name])],
    )  # fmt: skip


def panel(
    watch: Watch, groups: Groups, name: str, looks: Mapping[str, Style], *, seconds: bool, log_y: bool
) -> go.Figure:
    """The figure with this name: ``results``, ``cost``, ``hyperparameters``, or the curves of a metric."""
    makers = {
        "results": lambda: results_figure(groups, looks), "cost": lambda: cost_figure(groups, looks),
        "hyperparameters": lambda: keys_figure(groups),
    }  # fmt: skip
    if name not in makers:
        return curves_figure(watch, groups, name, looks, seconds=seconds, log_y=log_y)
    return makers[name]() or _empty(name)


def _empty(name: str) -> go.Figure:
    needs = "three finished runs that differ" if name == "hyperparameters" else "finished runs"
    figure = go.Figure(layout={"xaxis": {"visible": False}, "yaxis": {"visible": False}, "height": 240})
    return figure.add_annotation(text=f"this figure needs {needs}", showarrow=False, font={"size": 14})


def themed(figure: go.Figure, *, dark: bool, revision: str) -> go.Figure:
    """The figure in the colours of the page; ``revision`` is what Plotly calls ``uirevision``."""
    # Below the axes, since the buttons of a figure lie above them.
    legend = {"yref": "container", "yanchor": "bottom", "y": 0.0}
    return figure.update_layout(template=theme(dark=dark), uirevision=revision, legend=legend)


def _has_value(run: Run) -> bool:
    value = run.summary.get("value")
    return run.state == FINISHED and isinstance(value, (int, float)) and math.isfinite(value)


def _row(values: Sequence[float]) -> Row:
    mean, count = float(np.mean(values)), len(values)
    if count < 3:
        return Row(mean, values=values)
    half = float(stdtrit(count - 1, 0.975)) * float(np.std(values, ddof=1)) / math.sqrt(count)
    return Row(mean, mean - half, mean + half, values)


def _baselines(runs: Sequence[Run], metric: str) -> dict[str, float]:
    """The best baseline, where the runs have one task and ``metric`` is the one that it is compared in."""
    found: dict[str, float] = {}
    for run in runs:
        if f"validation/{run.summary.get('metric')}" == metric and isinstance(run.summary.get("baselines"), dict):
            found |= {
                str(name): float(value)
                for name, value in run.summary["baselines"].items()
                if isinstance(value, (int, float))
            }
    if not found or len({run.task for run in runs}) > 1:
        return {}
    best = max if any(run.summary.get("goal") == "max" for run in runs) else min
    name = best(found, key=lambda name: found[name])
    return {name: found[name]}


def _spans_decades(values: Sequence[object]) -> bool:
    numbers = [value for value in values if isinstance(value, (int, float)) and not isinstance(value, bool)]
    return len(numbers) == len(values) and min(numbers) > 0 and max(numbers) >= 50 * min(numbers)
