"""The callbacks of the page of one run."""

from __future__ import annotations

from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update

from lstmlab.dashboard import run_page
from lstmlab.dashboard.callbacks import GRAPH
from lstmlab.dashboard.choose import varied_keys
from lstmlab.dashboard.diagnostics import findings
from lstmlab.dashboard.figures import single_figure, themed
from lstmlab.dashboard.layout import NOTHING
from lstmlab.dashboard.run import Run
from lstmlab.dashboard.selection import metric_options
from lstmlab.dashboard.watch import Watch
from lstmlab.report.figures import styles_of

_HIDDEN, _SHOWN = {"display": "none"}, {}
_HEIGHT = 260


def register_run_page(app: Dash, watch: Watch) -> None:
    """Add them."""

    def found(name: str) -> Run | None:
        return next((run for run in watch.snapshot().runs if run.id == name), None)

    _frame(app, found)
    _live(app, watch, found)


def _frame(app: Dash, found: Any) -> None:
    @app.callback(
        Output("overview-page", "style"), Output("run-page", "children"), Input("place", "pathname"),
        Input("version", "data"), State("run-page", "children"),
    )  # fmt: skip
    def go(place: str, _: Any, before: Any) -> tuple:
        if not (place or "").startswith("/run/"):
            return _SHOWN, []
        name = place.removeprefix("/run/")
        run = found(name)
        if ctx.triggered_id == "version" and before and (run is not None) == (len(before) > 2):
            return no_update, no_update
        return _HIDDEN, run_page.frame(run) if run else run_page.gone(name)


def _live(app: Dash, watch: Watch, found: Any) -> None:
    @app.callback(
        Output("run-head", "children"), Output("run-config", "children"), Output("run-summary", "children"),
        Output("run-log", "children"), Output("run-charts", "children"), Output("run-shown", "data"), Input("run-id", "data"),
        Input("version", "data"), State("run-charts", "children"),
    )  # fmt: skip
    def texts(name: str, version: Any, charts: Any) -> tuple:
        run = found(name)
        if run is None:
            return (*(no_update,) * 5, version)
        differing = dict.fromkeys(varied_keys(watch.snapshot().runs))
        names = metric_options([run])
        places = [
            html.Div(dcc.Graph(id={"type": "run-chart", "name": each}, config=GRAPH, figure=NOTHING), className="chart")
            for each in names
        ]
        same = len(charts or []) == len(names)
        return (
            run_page.head(run), run_page.configuration(run, differing), run_page.summary(run), run_page.log(run),
            no_update if same else places, version,
        )  # fmt: skip

    @app.callback(
        Output({"type": "run-chart", "name": ALL}, "figure"), Output("run-charts-shown", "data"), Input("run-id", "data"), Input("rows", "data"),
        Input("run-charts", "children"), Input("dark", "data"),
    )  # fmt: skip
    def draw(name: str, rows: Any, _: Any, dark: bool) -> tuple:
        names = [output["id"]["name"] for output in ctx.outputs_list[0]]
        run = found(name)
        if run is None:
            return [no_update] * len(names), rows
        cells = styles_of(sorted({each.cell for each in watch.snapshot().runs if each.cell}))
        look = cells.get(run.cell) or next(iter(styles_of([run.name]).values()))
        drawn = [single_figure(watch, run, each, look).update_layout(height=_HEIGHT) for each in names]
        return [themed(figure, dark=bool(dark), revision=name) for figure in drawn], rows

    @app.callback(
        Output("run-files", "children"), Output("run-files-seen", "data"), Input("run-id", "data"),
        Input("tick", "n_intervals"), Input("dark", "data"), State("run-files-seen", "data"),
    )  # fmt: skip
    def files(name: str, _: Any, dark: bool, seen: Any) -> tuple:
        run = found(name)
        if run is None:
            return no_update, no_update
        now = f"{dark} {run_page.files_seen(run)}"
        if now == seen:
            return no_update, no_update
        return [*run_page.files(run), *_diagnostics(run, dark=bool(dark))], now


def _diagnostics(run: Run, *, dark: bool) -> list:
    drawn, wrong = findings(run.directory)
    if wrong:
        return [html.Section([html.H2("Diagnostics"), html.P(wrong, className="reason")], className="card")]
    if not drawn:
        return []
    shown = [
        html.Div(
            [html.H3(title), dcc.Graph(figure=themed(figure.update_layout(height=_HEIGHT), dark=dark, revision=title),
             config=GRAPH), *[html.P(note, className="note") for note in notes]], className="chart",
        )
        for title, figure, notes in drawn
    ]  # fmt: skip
    return [html.Section([html.H2("Diagnostics"), html.Div(shown, className="charts small")], className="card")]
