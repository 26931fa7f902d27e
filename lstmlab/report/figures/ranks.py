"""Average ranks over tasks with the critical difference."""

from __future__ import annotations

from collections.abc import Mapping

import plotly.graph_objects as go

from lstmlab.report.figures.style import Style, height_of, label, name_axis, new_figure, style


def ranks(average: Mapping[str, float], critical_difference: float, styles: Mapping[str, Style]) -> go.Figure:
    """A dot per name at its average rank, the best on top, with a bar as wide as the critical difference.

    Two names differ by less than the critical difference, and are not told apart, where their bars overlap.
    """
    ordered = dict(sorted(average.items(), key=lambda item: item[1]))
    figure = new_figure("average rank (1 is the best)", "", height=height_of(len(ordered)))
    for place, (name, rank) in enumerate(ordered.items()):
        look = style(name, styles)
        figure.add_trace(
            go.Scatter(
                x=[rank], y=[place], mode="markers", showlegend=False,
                marker={"color": look.colour, "symbol": look.symbol, "size": 11},
                error_x={"type": "constant", "value": critical_difference / 2, "color": look.colour, "thickness": 2.4},
                name=label(name), hovertemplate="%{fullData.name}: %{x:.2f}<extra></extra>",
            )
        )  # fmt: skip
    figure.update_layout(yaxis=name_axis(ordered), hovermode="closest")
    return figure
