"""The head of the page: how many runs are in which state, how far all are together, and how long that takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from dash import html

from lstmlab.dashboard.run import RUNNING, STATES, WAITING, Run
from lstmlab.dashboard.text import time_left


def overview(runs: Sequence[Run], shown: Sequence[Run], unread: int) -> list:
    """Counts by state, and the progress of the runs that are shown."""
    counts = Counter(run.state for run in runs)
    chips = [html.Span(f"{counts[state]} {state}", className=f"badge {state}") for state in STATES if counts[state]]
    if unread:
        chips.append(html.Span(f"reading {unread} more", className="badge"))
    if not runs and not unread:
        chips.append(html.Span("no runs yet: they appear as soon as they start", className="badge"))
    return [html.Div(chips, className="chips"), _together(shown)]


def _together(runs: Sequence[Run]) -> html.Div:
    """Of runs that were stopped the steps that are done count as all."""
    going = [run for run in runs if run.state in (RUNNING, WAITING)]
    done = sum(run.step for run in runs)
    total = sum(max(run.steps, run.step) if run in going else run.step for run in runs)
    share = done / total if total else 0.0
    text = f"{100 * share:.0f} % of the steps" + (f", {_left(going)} left" if going and _left(going) != "–" else "")
    bar = html.Div(html.Div(className="done", style={"width": f"{100 * share:.1f}%"}), className="bar")
    return html.Div([bar, html.Span(text if total else "")], className=f"together {RUNNING if going else ''}")


def _left(going: Sequence[Run]) -> str:
    """The steps that are left, at the speed of the running runs together; not before the longest run is over."""
    times = [run.left for run in going if run.state == RUNNING and run.left is not None]
    speed = sum((run.steps - run.step) / run.left for run in going if run.left)
    if not times or speed <= 0:
        return "–"
    left = sum(run.steps - run.step for run in going) / speed
    return time_left(max(left, max(times)), early=any(run.early for run in going))
