"""The table of runs: one page of it, sorted on this side, so that a thousand runs cost as much as thirty."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from dash import dcc, html

from lstmlab.dashboard.choose import natural, short, text_of, varied_keys
from lstmlab.dashboard.run import RUNNING, STATES, Run
from lstmlab.dashboard.text import aria, number, time_left

PAGE = 30
"""runs on one page"""
_MOST_KEYS = 8
"""columns of configuration keys"""


def table(
    runs: Sequence[Run], everything: Sequence[Run], metric: str, order: dict[str, Any], picked: Sequence[str]
) -> html.Div:
    """One page of the runs. ``order`` has ``by`` (a column), ``down`` and ``page`` (from 0); ``everything`` are the
    runs before the filter, whose differing keys are the columns.
    """
    keys = varied_keys(everything)[:_MOST_KEYS]
    ordered = sorted(runs, key=lambda run: _sort_key(run, order["by"], metric), reverse=order["down"])
    if order["by"] not in ("name", "state"):  # runs without a value come last in both directions
        ordered.sort(key=lambda run: _value(run, order["by"], metric) is None)
    pages = max(math.ceil(len(ordered) / PAGE), 1)
    page = min(order["page"], pages - 1)
    shown = ordered[page * PAGE : (page + 1) * PAGE]
    columns = [("state", "state"), ("name", "run"), ("progress", "progress"), ("left", "time left")]
    columns += [("metric", metric or "metric"), ("test", "test"), *((key, short(key)) for key in keys)]
    head = html.Tr([html.Th("", className="pick")] + [_header(name, text, order) for name, text in columns])
    body = [_row(run, keys, metric, run.id in picked) for run in shown]
    return html.Div(
        [
            html.Div(html.Table([html.Thead(head), html.Tbody(body)], className="runs"), className="scroll"),
            _pages(page, pages, len(ordered)),
        ]
    )


def clickable(what: str, value: str) -> Any:
    """The attributes of a button whose clicks arrive in the store ``clicked``; see ``assets/clicks.js``."""
    return {"data-click": what, "data-value": value}


def _header(name: str, text: str, order: dict[str, Any]) -> html.Th:
    active = order["by"] == name
    arrow = (" ▾" if order["down"] else " ▴") if active else ""
    return html.Th(
        html.Button(text + arrow, className="sort", title=f"sort by {text}", **clickable("sort", name)),
        className="number" if name in ("left", "metric", "test") else "",
        **aria(sort=("descending" if order["down"] else "ascending") if active else "none"),
    )


def _row(run: Run, keys: Sequence[str], metric: str, picked: bool) -> html.Tr:
    cells = [
        html.Td(
            html.Button(
                "✓" if picked else "", className=f"box {'on' if picked else ''}",
                title="show this run in the figures", **aria(pressed=str(picked).lower()),
                **clickable("pick", run.id),
            ),
            className="pick",
        ),
        html.Td(badge(run)),
        html.Td(dcc.Link(run.name, href=f"/run/{run.id}", title=str(run.name)), className="name"),
        html.Td(progress(run)),
        html.Td(time_left(run.left, early=run.early) if run.state == RUNNING else "", className="number"),
        html.Td(number(run.last.get(metric)), className="number"),
        html.Td(number(run.summary.get("value")), className="number"),
    ]  # fmt: skip
    cells += [html.Td(text_of(run.config[key]) if key in run.config else "–", className="key") for key in keys]
    return html.Tr(cells, className="picked" if picked else "")


def badge(run: Run) -> html.Span:
    """The state as a word with a mark; the reason is shown under the pointer."""
    return html.Span(run.state, className=f"badge {run.state}", title=run.reason)


def progress(run: Run) -> html.Div:
    """A bar of the steps that are done, and their number."""
    share = min(run.step / run.steps, 1.0) if run.steps else 0.0
    text = f"{run.step:,} / {run.steps:,}".replace(",", " ") if run.steps else f"{run.step}"
    return html.Div(
        [
            html.Div(html.Div(className="done", style={"width": f"{100 * share:.1f}%"}), className="bar"),
            html.Span(text),
        ],
        className=f"progress {run.state}",
    )


def _pages(page: int, pages: int, count: int) -> html.Div:
    return html.Div(
        [
            html.Button("‹", disabled=page == 0, title="previous page", **clickable("page", str(page - 1))),
            html.Span(f"page {page + 1} of {pages}, {count} run{'s' * (count != 1)}"),
            html.Button("›", disabled=page + 1 >= pages, title="next page", **clickable("page", str(page + 1))),
        ],
        className="pages",
    )


def _value(run: Run, by: str, metric: str) -> Any:
    values = {
        "progress": run.step / run.steps if run.steps else 0.0, "left": run.left, "metric": run.last.get(metric),
        "test": run.summary.get("value"),
    }  # fmt: skip
    value = values[by] if by in values else run.config.get(by)
    return None if isinstance(value, float) and math.isnan(value) else value


def _sort_key(run: Run, by: str, metric: str) -> Any:
    if by == "name":
        return natural(run.name)
    if by == "state":
        return STATES.index(run.state), natural(run.name)
    value = _value(run, by, metric)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return (0, float(value), [])
    return (1, 0.0, natural(text_of(value)))
