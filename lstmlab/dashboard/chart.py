"""A figure on the page: its place, and how it gets a new figure without losing what its reader has done to it."""

from __future__ import annotations

from typing import Any

from dash import MATCH, ClientsideFunction, Dash, Input, Output, State, dcc, html

from lstmlab.dashboard.layout import NOTHING

GRAPH: Any = {
    "displaylogo": False, "responsive": True, "displayModeBar": "hover", "plotlyServerURL": "",
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d", "sendChartToCloud"],
}  # fmt: skip
"""of all figures; nothing is sent to Plotly's cloud"""


def place(kind: str, name: str, height: int | None = None) -> html.Div:
    """The place of a figure; the figure goes to the ``data`` of ``{"type": f"{kind}-drawn", "name": name}``."""
    style = {"height": height} if height else {}
    graph = dcc.Graph(id={"type": kind, "name": name}, config=GRAPH, figure=NOTHING, style=style)
    drawn = dcc.Store(id={"type": f"{kind}-drawn", "name": name})
    return html.Div([graph, drawn], className="chart", id=place_id(kind, name))


def place_id(kind: str, name: str) -> str:
    """The ``id`` of a place."""
    return f"place-{kind}-{name}"


def show_drawn(app: Dash, kind: str) -> None:
    """Show in each place of a kind what is drawn for it, zoomed as before and without the lines that were hidden."""
    app.clientside_callback(
        ClientsideFunction("lstmlab", "keep"), Output({"type": kind, "name": MATCH}, "figure"),
        Input({"type": f"{kind}-drawn", "name": MATCH}, "data"), State({"type": kind, "name": MATCH}, "id"),
    )  # fmt: skip
