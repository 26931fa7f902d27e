"""What the page does: Dash's callbacks, which fill the layout from the watched runs."""

from __future__ import annotations

import time
from typing import Any

from dash import ALL, Dash, Input, Output, State, clientside_callback, ctx, no_update

from lstmlab.dashboard import figures
from lstmlab.dashboard.chart import place, place_id, show_drawn
from lstmlab.dashboard.choose import varied_keys
from lstmlab.dashboard.header import overview
from lstmlab.dashboard.layout import CURVES, KEYS, RESULTS, SHOWN
from lstmlab.dashboard.report_page import report_address
from lstmlab.dashboard.selection import (
    Choice,
    main_metric,
    metric_options,
    select,
    shown_metrics,
    value_options,
)
from lstmlab.dashboard.table import table
from lstmlab.dashboard.watch import Watch

_KIND = "chart"
CHOICE = [Input(name, "value") for name in ("states", "values", "where", "group")] + [Input("picked", "data")]
_NOTES = {
    CURVES: "Line: the median of a group's runs that have reached the step; band: 10–90 % of them, or "
    "all where they are fewer than ten; thin lines: single runs, where they are few; a cross: it failed there.",
    RESULTS: "Finished runs. Left: the mean, from three runs on with its 95 % t interval; marks are single runs.",
    KEYS: "A line per finished run through the keys in which they differ. Drag along an axis to keep a range.",
}
_LONGEST = 10.0
"""seconds after which the page is refreshed although a part of it has not been made"""
_MANY = 6
"""metrics of one page"""


def register(app: Dash, watch: Watch) -> None:
    """Add the callbacks of the overview."""
    _clock(app, watch)
    _lists(app, watch)
    _charts(app, watch)
    _clicks(app)
    _theme()


def _clock(app: Dash, watch: Watch) -> None:
    @app.callback(
        Output("version", "data"), Output("rows", "data"), Input("tick", "n_intervals"), State("version", "data"),
        State("rows", "data"), State("place", "pathname"), *(State(name, "data") for name in SHOWN),
    )  # fmt: skip
    def look(_: int, version: Any, rows: Any, path: str, *shown: Any) -> tuple:
        """Everything else hangs on these two, and rests while they stay.

        They stay too while a part of the page is still being made from them: the browser drops what it gets for a
        question that it has asked again meanwhile, and a slow computer would never get to show anything.
        """
        now = time.time()
        lists, charts = shown[2:] if (path or "").startswith("/run/") else shown[:2]
        if version and now - version[-1] < _LONGEST and (lists != version or charts != rows):
            return no_update, no_update
        snapshot = watch.snapshot()
        seen = [snapshot.version, snapshot.unread]
        ended = sum(bool(run.summary) for run in snapshot.runs)
        drawn = [len(snapshot.runs), sum(run.version for run in snapshot.runs), ended]
        changed = version is None or seen != version[:-1], rows is None or drawn != rows[:-1]
        return ([*seen, now] if changed[0] else no_update), ([*drawn, now] if changed[1] else no_update)

    @app.callback(
        Output("values", "options"), Output("group", "options"), Output("metrics", "options"), Input("rows", "data"),
        State("values", "options"), State("group", "options"), State("metrics", "options"),
    )  # fmt: skip
    def offer(_: Any, *before: Any) -> list:
        runs = watch.snapshot().runs
        now = [value_options(runs), varied_keys(runs), metric_options(runs)]
        return [no_update if new == old else new for new, old in zip(now, before, strict=True)]


def _lists(app: Dash, watch: Watch) -> None:
    @app.callback(
        Output("overview", "children"), Output("wrong", "children"), Output("table", "children"),
        Output("unpick", "children"), Output("report", "href"), Output("lists-shown", "data"),
        Input("version", "data"), *CHOICE, Input("order", "data"), Input("metrics", "value"),
    )  # fmt: skip
    def lists(
        version: Any, states: Any, values: Any, where: Any, group: Any, picked: Any, order: Any, metrics: Any
    ) -> tuple:
        snapshot = watch.snapshot()
        shown = select(snapshot, Choice(states, values, where, group, picked))
        metric = (metrics or [main_metric(snapshot.runs)])[0]
        return (
            overview(snapshot.runs, shown.runs, snapshot.unread),
            shown.wrong,
            table(shown.runs, snapshot.runs, metric, order, picked),
            f"{len(picked)} picked: show all again" if picked else "",
            report_address(run for runs in shown.groups.values() for run in runs),
            version,
        )


def _charts(app: Dash, watch: Watch) -> None:
    @app.callback(
        Output("charts", "children"), Output("note", "children"), Input("rows", "data"), Input("panel", "value"),
        Input("metrics", "value"), State("charts", "children"),
    )  # fmt: skip
    def places(_: Any, panel: str, metrics: Any, before: Any) -> tuple:
        """The figures' places; they are made anew only where other figures are wanted."""
        names = shown_metrics(watch.snapshot().runs, metrics)[:_MANY] if panel == CURVES else [panel]
        if panel == RESULTS:
            names = [RESULTS, "cost"]
        ids = [child["props"]["id"] for child in before or []]
        if ids == [place_id(_KIND, name) for name in names]:
            return no_update, no_update
        return [place(_KIND, name) for name in names], _NOTES[panel]

    @app.callback(
        Output({"type": f"{_KIND}-drawn", "name": ALL}, "data"), Output("charts-shown", "data"), Input("rows", "data"),
        *CHOICE, Input("axis", "value"), Input("log", "value"), Input("dark", "data"), Input("charts", "children"),
        State("place", "pathname"),
    )  # fmt: skip
    def draw(
        rows: Any, states: Any, values: Any, where: Any, group: Any, picked: Any, axis: str, log: Any, dark: bool,
        _: Any, path: str,
    ) -> tuple:  # fmt: skip
        names = [output["id"]["name"] for output in ctx.outputs_list[0]]
        if path != "/":
            return [no_update] * len(names), rows
        snapshot = watch.snapshot()
        shown = select(snapshot, Choice(states, values, where, group, picked))
        looks = figures.styles(shown.groups, sorted({run.cell for run in snapshot.runs if run.cell}))
        drawn = []
        for name in names:
            figure = figures.panel(watch, shown.groups, name, looks, seconds=axis == "seconds", log_y=bool(log))
            drawn.append(figures.themed(figure, dark=bool(dark), revision=f"{name} {axis} {log}"))
        return drawn, rows

    show_drawn(app, _KIND)


def _clicks(app: Dash) -> None:
    @app.callback(
        Output("picked", "data"), Output("order", "data"), Input("clicked", "data"), Input("unpick", "n_clicks"),
        State("picked", "data"), State("order", "data"), prevent_initial_call=True,
    )  # fmt: skip
    def click(clicked: Any, _: Any, picked: list[str], order: dict[str, Any]) -> tuple:
        """What a click in the table changes."""
        if ctx.triggered_id == "unpick":
            return [], no_update
        what, value = clicked["what"], clicked["value"]
        if what == "pick":
            return [each for each in picked if each != value] if value in picked else [*picked, value], no_update
        if what == "page":
            return no_update, {**order, "page": int(value)}
        return no_update, {"by": value, "down": order["by"] == value and not order["down"], "page": 0}


def _theme() -> None:
    clientside_callback(
        """(clicks, wanted) => {
            const system = window.matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
            const now = wanted || system;
            const next = clicks && dash_clientside.callback_context.triggered.length
                ? (now === 'dark' ? 'light' : 'dark') : now;
            document.documentElement.dataset.theme = next;
            return [next === 'dark', clicks ? next : window.dash_clientside.no_update];
        }""",
        Output("dark", "data"), Output("theme", "data"), Input("switch-theme", "n_clicks"), State("theme", "data"),
    )  # fmt: skip
