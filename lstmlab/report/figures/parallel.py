"""Parallel coordinates of a search: a line per run through the values of its keys, coloured by the metric."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from lstmlab.report.figures.style import label, new_figure

_TICKS = 6


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
    finite are left out. The best runs are the darkest on the scale from yellow to violet (Viridis). Raises
    ``ValueError`` when a column has another length.
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
                "color": shown, "colorscale": "Viridis", "reversescale": goal == "max", "showscale": True,
                "colorbar": {"title": {"text": label(metric), "side": "right"}, "thickness": 12},
            },
            labelangle=-18, labelside="top",
        )
    )  # fmt: skip
    figure.update_layout(margin={"l": 60, "r": 30, "t": 90, "b": 24})
    return figure


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
