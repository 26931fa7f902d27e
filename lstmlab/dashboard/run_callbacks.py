"""The callbacks of the page of one run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update

from lstmlab.dashboard import run_page
from lstmlab.dashboard.chart import GRAPH, place, place_id, show_drawn
from lstmlab.dashboard.choose import varied_keys
from lstmlab.dashboard.diagnostics import findings
from lstmlab.dashboard.figures import single_figure, themed
from lstmlab.dashboard.run import Run
from lstmlab.dashboard.selection import metric_options
from lstmlab.dashboard.watch import Watch
from lstmlab.report.figures import cell_styles

_HIDDEN, _SHOWN = {"display": "none"}, {}
_HEIGHT = 260
_KIND = "run-chart"


def register_run_page(app: Dash, watch: Watch) -> None:
    """Add them."""

    def found(name: str) -> Run | None:
        return next((run for run in watch.snapshot().runs if run.id == name), None)

    _go(app)
    _texts(app, watch, found)
    _figures(app, watch, found)


def _go(app: Dash) -> None:
    @app.callback(
        Output("overview-page", "style"), Output("run-page", "style"), Output("run-id", "data"),
        Input("place", "pathname"),
    )  # fmt: skip
    def go(place: str) -> tuple:
        """From the overview to a run and back."""
        if (place or "").startswith("/run/"):
            return _HIDDEN, _SHOWN, place.removeprefix("/run/")
        return _SHOWN, _HIDDEN, ""


def _texts(app: Dash, watch: Watch, found: Any) -> None:
    @app.callback(
        Output("run-head", "children"), Output("run-config", "children"), Output("run-summary", "children"),
        Output("run-log", "children"), Output("run-charts", "children"), Output("run-shown", "data"),
        Input("run-id", "data"), Input("version", "data"), State("run-charts", "children"),
    )  # fmt: skip
    def texts(name: str, version: Any, charts: Any) -> tuple:
        run = found(name)
        if run is None:
            return run_page.gone(name) if name else "", "", "", "", [], version
        names = metric_options([run])
        same = [child["props"]["id"] for child in charts or []] == [place_id(_KIND, each) for each in names]
        return (
            run_page.head(run), run_page.configuration(run, dict.fromkeys(varied_keys(watch.snapshot().runs))),
            run_page.summary(run), run_page.log(run),
            no_update if same else [place(_KIND, each, _HEIGHT) for each in names], version,
        )  # fmt: skip

    @app.callback(
        Output("run-files", "children"), Output("run-files-seen", "data"), Input("run-id", "data"),
        Input("tick", "n_intervals"), Input("dark", "data"), State("run-files-seen", "data"),
    )  # fmt: skip
    def files(name: str, _: Any, dark: bool, seen: Any) -> tuple:
        run = found(name)
        now = f"{name} {dark} {run_page.files_seen(run)}" if run else ""
        if now == (seen or ""):
            return no_update, no_update
        return [*run_page.files(run), *_diagnostics(run, dark=bool(dark))] if run else [], now


def _figures(app: Dash, watch: Watch, found: Any) -> None:
    @app.callback(
        Output({"type": f"{_KIND}-drawn", "name": ALL}, "data"), Output("run-charts-shown", "data"),
        Input("run-id", "data"), Input("rows", "data"), Input("run-charts", "children"), Input("dark", "data"),
    )  # fmt: skip
    def draw(name: str, rows: Any, _: Any, dark: bool) -> tuple:
        names = [output["id"]["name"] for output in ctx.outputs_list[0]]
        run = found(name)
        if run is None:
            return [no_update] * len(names), rows
        look = cell_styles({run.name: run.cell or run.name})[run.name]
        drawn = [single_figure(watch, run, each, look).update_layout(height=_HEIGHT) for each in names]
        return [themed(figure, dark=bool(dark), revision=name) for figure in drawn], rows

    show_drawn(app, _KIND)


def _diagnostics(run: Run, *, dark: bool) -> list:
    drawn, wrong = findings(run.directory)
    if wrong:
        return [html.Section([html.H2("Diagnostics"), html.P(wrong, className="reason")], className="card")]
    if not drawn:
        return []
    shown = [_diagnostic(*each, dark=dark) for each in drawn]
    return [html.Section([html.H2("Diagnostics"), html.Div(shown, className="charts small")], className="card")]


def _diagnostic(title: str, figure: go.Figure, notes: Sequence[str], *, dark: bool) -> html.Div:
    look = themed(figure.update_layout(height=_HEIGHT), dark=dark, revision=title)
    graph = dcc.Graph(figure=look, config=GRAPH, style={"height": _HEIGHT})
    return html.Div([html.H3(title), graph, *(html.P(note, className="note") for note in notes)], className="chart")
