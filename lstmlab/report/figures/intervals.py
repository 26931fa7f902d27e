"""Estimates with their intervals, and the values behind them: a row per name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from lstmlab.report.figures.style import (
    GREY,
    Style,
    baseline_line,
    height_of,
    label,
    name_axis,
    new_figure,
    style,
)

_MOST_DOTS = 60
"""values of one row that are drawn as dots"""


class Row(NamedTuple):
    """An estimate; without ``low`` and ``high`` there is no interval, without ``value`` the row is empty."""

    value: float | None
    low: float | None = None
    high: float | None = None
    values: Sequence[float] = ()
    """of the single runs"""


def intervals(
    rows: Mapping[str, Row],
    styles: Mapping[str, Style],
    *,
    x_label: str = "",
    baselines: Mapping[str, float] | None = None,
) -> go.Figure:
    """A dot with its interval per entry of ``rows``, the first on top, small dots for single runs.

    A row without a finite value says so. ``baselines`` are dashed vertical lines.
    """
    figure = new_figure(x_label, "", height=height_of(len(rows)))
    for place, (name, row) in enumerate(rows.items()):
        look = style(name, styles)
        dots = [value for value in row.values if np.isfinite(value)][:_MOST_DOTS]
        if len(dots) > 1:
            figure.add_trace(_dots(dots, place, look))
        if row.value is None or not np.isfinite(row.value):
            figure.add_annotation(
                x=0.01, xref="x domain", xanchor="left", y=place, text="no finite value", showarrow=False,
                font={"color": GREY},
            )  # fmt: skip
            continue
        figure.add_trace(_estimate(name, row.value, row.low, row.high, place, look))
    for name, value in (baselines or {}).items():
        figure.add_trace(baseline_line(f"{name} ({value:.4g})", [value, value], [-0.5, len(rows) - 0.5]))
    figure.update_layout(yaxis=name_axis(rows), hovermode="closest", showlegend=bool(baselines))
    # Not a range of its own: a later figure would take it in place of the one that a reader has chosen.
    figure.update_xaxes(autorangeoptions={"include": _range(rows, baselines or {})})
    return figure


def _range(rows: Mapping[str, Row], baselines: Mapping[str, float]) -> list[float] | None:
    """Room for everything, also beside the vertical lines, around which Plotly leaves none."""
    shown = [x for row in rows.values() for x in (row.value, row.low, row.high, *row.values) if x is not None]
    finite = [x for x in (*shown, *baselines.values()) if np.isfinite(x)]
    if not finite or min(finite) == max(finite):
        return None
    margin = 0.05 * (max(finite) - min(finite))
    return [min(finite) - margin, max(finite) + margin]


def _estimate(name: str, value: float, low: float | None, high: float | None, place: int, look: Style) -> go.Scatter:
    text = f"{value:.4g}" + ("" if low is None or high is None else f" [{low:.4g}, {high:.4g}]")
    bar = None
    if low is not None and high is not None:
        bar = {
            "type": "data", "symmetric": False, "array": [high - value], "arrayminus": [value - low],
            "color": look.colour, "thickness": 2.4, "width": 5,
        }  # fmt: skip
    return go.Scatter(
        x=[value], y=[place], mode="markers", error_x=bar, showlegend=False,
        marker={"color": look.colour, "symbol": look.symbol, "size": 11},
        name=label(name), hovertemplate=f"%{{fullData.name}}: {text}<extra></extra>",
    )  # fmt: skip


def _dots(values: Sequence[float], place: int, look: Style) -> go.Scatter:
    line = {"width": 1.5, "color": look.faint(0.6)}
    return go.Scatter(
        x=list(values), y=[place] * len(values), mode="markers", showlegend=False,
        marker={"color": look.faint(0.45), "symbol": "line-ns", "size": 12, "line": line},
        hovertemplate="%{x:.4g}<extra>one run</extra>",
    )  # fmt: skip
