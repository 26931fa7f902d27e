"""Parallel coordinates of a search: a line per run through the values of its keys, coloured by the metric."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from lstmlab.plots.style import COLOURS
from lstmlab.report.figures.style import GREY, label, new_figure

_TICKS = 6
_SCALE = [[0, COLOURS[0]], [0.5, GREY], [1, COLOURS[4]]]
"""readable on white and on black, and by colour-blind readers"""


def parallel_coordinates(
    columns: Mapping[str, Sequence[object]],
    ys: Sequence[float],
    *,
    metric: str,
    goal: str = "min",
    log: Collection[str] = (),
) -> go.Figure:
    """One axis per entry of ``columns``, name → values ``[runs]``, and one for the metric ``ys`` ``[runs]``.

    Columns that are not all numbers are choices; those in ``log`` have a logarithmic axis. Runs whose metric is not
    finite are left out. The colour is the rank of the run, from blue for the best to orange for the worst: metrics
    themselves would give most runs one colour where a few have diverged. Raises ``ValueError`` when a column has
    another length.
    """
    metrics = np.asarray(ys, float)
    finite = np.isfinite(metrics)
    for name, values in columns.items():
        if len(values) != len(metrics):
            raise ValueError(f"'{name}' has {len(values)} values for {len(metrics)}")
    axes = [
        _axis(name, [value for value, known in zip(values, finite, strict=True) if known], name in log)
        for name, values in columns.items()
    ]
    shown = metrics[finite]
    axes.append({"label": label(metric), "values": shown})
    figure = new_figure("", "", height=460)
    figure.add_trace(
        go.Parcoords(
            dimensions=axes,
            line={
                "color": _places(shown if goal == "min" else -shown), "colorscale": _SCALE, "cmin": 0, "cmax": 1,
                "showscale": True,
                "colorbar": {"thickness": 12, "tickvals": [0, 0.5, 1], "ticktext": ["best", "median", "worst"]},
            },
            labelangle=-18, labelside="top",
        )
    )  # fmt: skip
    figure.update_layout(margin={"l": 80, "r": 30, "t": 100, "b": 24})
    return figure


def _places(losses: np.ndarray) -> np.ndarray:
    """Ranks from 0, the best, to 1."""
    return np.argsort(np.argsort(losses)) / max(1, len(losses) - 1)


def _axis(name: str, values: Sequence[Any], log: bool) -> dict[str, Any]:
    numeric = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)
    if not numeric:
        choices = sorted({str(value) for value in values})
        places = [choices.index(str(value)) for value in values]
        ticks = {"tickvals": list(range(len(choices))), "ticktext": [label(choice) for choice in choices]}
        return {"label": label(name), "values": places, **ticks}
    if not log:
        return {"label": label(name), "values": np.asarray(values, float)}
    exponents = np.log10(np.asarray(values, float))
    ticks = np.unique(np.linspace(math.floor(exponents.min()), math.ceil(exponents.max()), _TICKS).round())
    return {
        "label": label(name), "values": exponents, "tickvals": ticks, "ticktext": [f"{10.0**tick:g}" for tick in ticks],
        "range": [min(ticks[0], exponents.min()), max(ticks[-1], exponents.max())],
    }  # fmt: skip
