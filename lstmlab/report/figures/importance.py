"""Importances of hyperparameters, with the level of noise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import plotly.graph_objects as go

from lstmlab.plots.style import COLOURS
from lstmlab.report.figures.style import GREY, height_of, name_axis, new_figure


class Share(NamedTuple):
    """The importance of one key, its standard deviation over forests, and the importance that noise alone gets."""

    value: float
    sd: float
    floor: float


def importance(shares: Mapping[str, Share]) -> go.Figure:
    """A bar per key, the first on top, and a mark at the level of noise."""
    figure = new_figure("share of the variance explained alone", "", height=height_of(len(shares)) + 20)
    places = list(range(len(shares)))
    figure.add_trace(
        go.Bar(
            x=[share.value for share in shares.values()], y=places, orientation="h", marker={"color": COLOURS[0]},
            error_x={"type": "data", "array": [share.sd for share in shares.values()], "color": GREY},
            name="importance (± over forests)", hovertemplate="%{x:.3f}<extra></extra>",
        )
    )  # fmt: skip
    figure.add_trace(
        go.Scatter(
            x=[share.floor for share in shares.values()], y=places, mode="markers", name="noise floor",
            marker={"symbol": "line-ns", "size": 18, "color": COLOURS[1], "line": {"width": 2.5, "color": COLOURS[1]}},
            hovertemplate="noise floor %{x:.3f}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_layout(yaxis=name_axis(shares), xaxis={"rangemode": "tozero"}, bargap=0.4, hovermode="closest")
    return figure
