"""What the interactive figures share: one colour, dash and marker per name, themes, escaped names."""

from __future__ import annotations

import hashlib
import html
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import plotly.graph_objects as go

from lstmlab.plots.cell_styles import looks
from lstmlab.plots.style import COLOURS

GREY = "#8A8A8A"
"""of baselines and marks; it is readable on white and on black"""
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
"""of lines of one colour"""
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross")
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_ROW = 30
"""pixels of one name on a vertical axis"""


class Style(NamedTuple):
    """How one name looks in every figure."""

    colour: str
    dash: str
    symbol: str

    def faint(self, alpha: float) -> str:
        """The colour as ``rgba(…)`` with this opacity."""
        red, green, blue = (int(self.colour[i : i + 2], 16) for i in (1, 3, 5))
        return f"rgba({red},{green},{blue},{alpha})"


def cell_styles(cells: Mapping[str, str]) -> dict[str, Style]:
    """The style of each name, in the colour of its cell: name → cell. Give the same names to every figure of a page.

    Names of one colour differ in dashes and markers (:mod:`lstmlab.plots.cell_styles`).
    """
    return {
        name: Style(
            look.colour,
            DASHES[look.repeat % len(DASHES)],
            _SYMBOLS[(COLOURS.index(look.colour) + look.repeat) % len(_SYMBOLS)],
        )
        for name, look in looks(cells).items()
    }


def styles_of(names: Iterable[str]) -> dict[str, Style]:
    """The style of names that are not cells, by order of first appearance.

    Colours are those of :mod:`lstmlab.plots.style`, which colour-blind readers can tell apart. Where they repeat, the
    dashes change; markers repeat later than colours.
    """
    return {
        name: Style(COLOURS[i % len(COLOURS)], DASHES[i // len(COLOURS) % len(DASHES)], _SYMBOLS[i % len(_SYMBOLS)])
        for i, name in enumerate(dict.fromkeys(names))
    }


def style(name: str, styles: Mapping[str, Style]) -> Style:
    """The style of a name; names that have none are grey."""
    return styles.get(name, Style(GREY, "solid", "circle"))


def label(text: object) -> str:
    """A text from a file as Plotly shows it literally: its tags and entities are escaped."""
    return html.escape(str(text), quote=False)


def trace_id(kind: str, name: str) -> str:
    """The ``uid`` of a trace, the same in every figure; letters and digits, since Plotly puts it into CSS selectors."""
    return hashlib.sha256(f"{kind} {name}".encode("utf-8", "surrogateescape")).hexdigest()[:12]


def theme(*, dark: bool) -> go.layout.Template:
    """Colours of text, axes and background, for ``figure.update_layout(template=…)``."""
    ink, grid, line, panel = ("#E4E6EB", "#2A2E35", "#5A606B", "#16191E") if dark else (
        "#24292F", "#E6E8EB", "#B4B9C0", "#FFFFFF"
    )  # fmt: skip
    axis: dict[str, Any] = {
        "exponentformat": "power",
        "gridcolor": grid, "linecolor": line, "zerolinecolor": grid, "tickcolor": line, "automargin": True,
        "title": {"standoff": 8},
    }  # fmt: skip
    return go.layout.Template(
        layout={
            "font": {"family": _FONT, "size": 13, "color": ink},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "xaxis": axis,
            "yaxis": axis,
            "hoverlabel": {"bgcolor": panel, "bordercolor": line, "font": {"color": ink, "family": _FONT}},
            "legend": {"bgcolor": "rgba(0,0,0,0)"},
            "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": line, "activecolor": ink},
            "colorway": list(COLOURS),
        }
    )


def new_figure(x_label: str, y_label: str, *, height: int = 420) -> go.Figure:
    """An empty figure with axis titles; its legend lies above, where it also fits on a phone."""
    figure = go.Figure()
    figure.update_layout(
        template=None,
        height=height,
        margin={"l": 12, "r": 16, "t": 34, "b": 12},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0, "xanchor": "left"},
        xaxis={"title": {"text": label(x_label)}},
        yaxis={"title": {"text": label(y_label)}},
    )
    return figure


def height_of(rows: int) -> int:
    """Pixels of a figure with this many names on its vertical axis."""
    return 110 + _ROW * max(rows, 2)


def name_axis(names: Iterable[str]) -> dict[str, Any]:
    """A vertical axis of names, the first on top: the place of a name is its number."""
    shown = [label(name) for name in names]
    return {
        "tickmode": "array", "tickvals": list(range(len(shown))), "ticktext": shown,
        "range": [len(shown) - 0.5, -0.5], "showgrid": False, "zeroline": False, "title": {"text": ""},
    }  # fmt: skip


def baseline_line(name: str, xs: Iterable[float], ys: Iterable[float]) -> go.Scatter:
    """A baseline as a grey dashed line with an entry of its own in the legend."""
    return go.Scatter(
        x=list(xs), y=list(ys), mode="lines", name=label(name), uid=trace_id("baseline", name),
        line={"color": GREY, "dash": "dash", "width": 1.3}, hovertemplate="%{fullData.name}<extra></extra>",
    )  # fmt: skip
