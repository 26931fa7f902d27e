"""What is on the page; :mod:`lstmlab.dashboard.callbacks` fills it."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from lstmlab.dashboard.run import STATES
from lstmlab.dashboard.run_page import frame
from lstmlab.dashboard.text import aria

REFRESH = 1000
"""milliseconds between two looks at what has changed"""
SHOWN = ("lists-shown", "charts-shown", "run-shown", "run-charts-shown")
"""stores that say up to which change the parts of the page have come, those of the overview first"""
NOTHING: Any = {
    "layout": {
        "xaxis": {"visible": False}, "yaxis": {"visible": False}, "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
    }
}  # fmt: skip
"""a figure before it is drawn"""
CURVES, RESULTS, KEYS = "curves", "results", "hyperparameters"


def page() -> html.Div:
    """The whole page: the overview, which stays while a run is shown, and the page of one run."""
    return html.Div(
        [
            dcc.Location(id="place"),
            dcc.Interval(id="tick", interval=REFRESH),
            dcc.Store(id="version"),
            dcc.Store(id="rows"),
            *(dcc.Store(id=name) for name in SHOWN),
            dcc.Store(id="dark"),
            dcc.Store(id="run-id", data=""),
            dcc.Store(id="run-files-seen"),
            dcc.Store(id="clicked"),
            dcc.Store(id="theme", storage_type="local"),
            dcc.Store(id="picked", data=[], storage_type="session"),
            dcc.Store(id="order", data={"by": "name", "down": False, "page": 0}, storage_type="session"),
            html.Header(
                [
                    html.H1(dcc.Link("lstmlab dashboard", href="/")),
                    html.Div(id="overview", **aria(live="off")),
                    html.Button("◐", id="switch-theme", title="light or dark", **aria(label="light or dark")),
                ]
            ),
            html.Main([_overview(), html.Div(frame(), id="run-page", style={"display": "none"})]),
        ]
    )


def _overview() -> html.Div:
    return html.Div(
        [
            html.Section(_controls(), className="controls card", **aria(label="filter and group")),
            html.Div(id="wrong", className="wrong", role="status"),
            html.Section(
                [
                    html.Div(
                        [
                            dcc.RadioItems([CURVES, RESULTS, KEYS], CURVES, id="panel", className="tabs", inline=True),
                            html.A(
                                "report of these runs ↗", id="report", href="", target="_blank", className="report",
                                title="verdicts, ranks, costs and importances of the finished runs, as lstmlab report",
                            ),
                        ],
                        className="line",
                    ),
                    html.Div(id="note", className="note"),
                    html.Div(id="charts", className="charts"),
                ],
                className="card", **aria(label="figures"),
            ),
            html.Section(
                [
                    html.Div([html.H2("Runs"), html.Button(id="unpick", className="plain")], className="line"),
                    html.Div(id="table"),
                ],
                className="card", **aria(label="runs"),
            ),
        ],
        id="overview-page",
    )  # fmt: skip


def _controls() -> list:
    kept: Any = {"persistence": True, "persistence_type": "session"}
    return [
        _labelled("State", dcc.Dropdown(list(STATES), [], multi=True, id="states", placeholder="any", **kept)),
        _labelled(
            "Filter",
            dcc.Dropdown([], [], multi=True, id="values", placeholder="any key=value", **kept),
        ),
        _labelled(
            "Filter by text",
            dcc.Input(
                id="where", value="", debounce=0.4, spellCheck="false", autoComplete="off",
                placeholder="learning_rate<0.01", **kept,
            ),
        ),
        _labelled("Group by", dcc.Dropdown([], None, multi=True, id="group", placeholder="the cell", **kept)),
        _labelled("Metrics", dcc.Dropdown([], None, multi=True, id="metrics", placeholder="the main ones", **kept)),
        _labelled(
            "Axes",
            html.Div(
                [
                    dcc.RadioItems(["steps", "seconds"], "steps", id="axis", inline=True, **kept),
                    dcc.Checklist(["log"], [], id="log", inline=True, **kept),
                ],
                className="axes",
            ),
        ),
    ]  # fmt: skip


def _labelled(text: str, control: Any) -> html.Div:
    return html.Div([html.Label(text, htmlFor=getattr(control, "id", None)), control], className="control")
