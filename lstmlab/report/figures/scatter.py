"""What quality costs: the metric of every run against its seconds, parameters or another cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from lstmlab.report.figures.style import Style, label, new_figure, style, trace_id

_MOST_SVG = 1500
"""points up to which no WebGL is needed; browsers allow few WebGL figures on one page"""
_DECADE = 10.0


class Point(NamedTuple):
    """One run: its cost, its metric, and what is shown under the pointer."""

    x: float
    y: float
    text: str = ""


def time_against_quality(
    points: Mapping[str, Sequence[Point]],
    styles: Mapping[str, Style],
    *,
    x_label: str = "seconds of training",
    y_label: str = "",
) -> go.Figure:
    """A dot per run, in the style of the name it belongs to; points that are not finite are left out.

    The cost has a logarithmic axis where it spans more than a decade.
    """
    finite = {
        name: [point for point in own if np.isfinite([point.x, point.y]).all()] for name, own in points.items()
    }  # fmt: skip
    xs = [point.x for own in finite.values() for point in own]
    kind = go.Scattergl if len(xs) > _MOST_SVG else go.Scatter
    figure = new_figure(x_label, y_label, height=340)
    for name, own in finite.items():
        look = style(name, styles)
        figure.add_trace(
            kind(
                x=np.array([point.x for point in own]), y=np.array([point.y for point in own], np.float32),
                text=[label(point.text) for point in own], name=label(name), uid=trace_id("dots", name), mode="markers",
                marker={"color": look.colour, "symbol": look.symbol, "size": 9, "opacity": 0.9},
                hovertemplate="%{fullData.name} %{text}<br>%{x:.4g}, %{y:.4g}<extra></extra>",
            )
        )  # fmt: skip
    wide = bool(xs) and min(xs) > 0 and max(xs) > _DECADE * min(xs)
    figure.update_layout(hovermode="closest", showlegend=True, xaxis={"type": "log" if wide else "linear"})
    return figure
