"""The page of one run: its state, curves, pictures, samples, diagnostics, configuration, summary and log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dash import dcc, html

from lstmlab.dashboard.choose import text_of
from lstmlab.dashboard.config_file import Value
from lstmlab.dashboard.files import Shown, beginning, ending, listed
from lstmlab.dashboard.run import RUNNING, Run
from lstmlab.dashboard.table import badge, progress
from lstmlab.dashboard.text import number, time_left
from lstmlab.report.explained import FILE as EXPLAINED
from lstmlab.tracking.files import METRICS

_LOG_BYTES = 8_000
_LOGS = ("traceback.txt",)


def frame() -> list:
    """The parts of the page, which are filled and refreshed one by one."""
    return [
        html.Div(dcc.Link("← all runs", href="/"), className="back"),
        html.Section(html.Div(id="run-head"), className="card"),
        html.Section([html.H2("Curves"), html.Div(id="run-charts", className="charts small")], className="card"),
        html.Div(id="run-files"),
        html.Section([html.H2("Configuration"), html.Div(id="run-config")], className="card"),
        html.Section([html.H2("Summary"), html.Div(id="run-summary")], className="card"),
        html.Section([html.H2("Log"), html.Div(id="run-log")], className="card"),
    ]


def gone(name: str) -> html.P:
    """What is shown where there is no such run."""
    return html.P(f"There is no run {name}: its directory may have been moved or removed.")


def head(run: Run) -> list:
    """Name, state and progress."""
    facts = [badge(run), progress(run)]
    if run.state == RUNNING:
        facts.append(html.Span(f"{time_left(run.left, early=run.early)} left"))
    if (value := run.summary.get("value")) is not None:
        facts.append(html.Span(f"test {run.summary.get('metric')} {number(value)}"))
    parts = [html.H2(run.name), html.Div(facts, className="facts")]
    if run.reason:
        parts.append(html.P(run.reason, className="reason"))
    return [*parts, html.Div(str(run.directory), className="path")]


def files(run: Run) -> list:
    """Pictures, samples and tables, the newest of each name; those of earlier steps are behind a click."""
    pictures, samples, tables = (listed(run.directory, folder) for folder in ("pictures", "samples", "tables"))
    parts = []
    if pictures:
        shown = [_picture(run, name, each) for name, each in pictures.items()]
        parts.append(html.Section([html.H2("Pictures"), html.Div(shown, className="pictures")], className="card"))
    if samples:
        shown = [_sample(run, name, each) for name, each in samples.items()]
        parts.append(html.Section([html.H2("Samples"), *shown], className="card"))
    if tables:
        shown = [html.Li(_link(run, "tables", file)) for each in tables.values() for file in each]
        parts.append(html.Section([html.H2("Tables"), html.Ul(shown)], className="card"))
    return parts


def files_seen(run: Run) -> str:
    """What changes whenever :func:`files` or the diagnostics would."""
    every = [listed(run.directory, folder) for folder in ("pictures", "samples", "tables")]
    seen: list[Any] = [(each.path.name, each.written) for by_name in every for own in by_name.values() for each in own]
    explained = run.directory / EXPLAINED
    return str([*seen, explained.stat().st_mtime_ns if explained.is_file() else None])


def configuration(run: Run, others: Mapping[str, Any]) -> html.Div:
    """All keys with their values; ``others`` are the keys in which runs differ, which come first."""
    keys = [*(key for key in others if key in run.config), *(key for key in run.config if key not in others)]
    rows = [(key, text_of(run.config[key]), key in others) for key in keys]
    return _pairs(rows)


def summary(run: Run) -> Any:
    """The content of ``summary.json`` by dotted key."""
    flat: dict[str, Value] = {}
    _flatten(run.summary, "", flat)
    if not flat:
        return html.P("It is written when the run ends.", className="note")
    return _pairs([(key, text_of(value), False) for key, value in flat.items()])


def log(run: Run) -> list:
    """The end of ``metrics.jsonl``, and of other logs of the run."""
    if not (run.directory / METRICS).is_file():
        return [html.P("Nothing is logged yet.", className="note")]
    parts: list = [html.Pre(ending(run.directory / METRICS, _LOG_BYTES))]
    names = [name for name in _LOGS if (run.directory / name).is_file()]
    names += sorted(path.name for path in run.directory.glob("*.log") if path.is_file() and not path.is_symlink())
    for name in names:
        parts += [html.H3(name), html.Pre(ending(run.directory / name, _LOG_BYTES))]
    return parts


def address(run: Run, folder: str, file: Shown) -> str:
    """Where a file of the run is served; the time in it makes browsers load a file anew that has changed."""
    return f"/files/{run.id}/{folder}/{quote(file.path.name)}?written={file.written}"


def _picture(run: Run, name: str, each: Sequence[Shown]) -> html.Figure:
    newest = each[-1]
    image = html.Img(src=address(run, "pictures", newest), alt=f"{name} after step {newest.step}")
    link = html.A(image, href=address(run, "pictures", newest), target="_blank")
    return html.Figure([link, html.Figcaption([f"{name}, step {newest.step}", *_earlier(run, "pictures", each)])])


def _sample(run: Run, name: str, each: Sequence[Shown]) -> html.Div:
    newest = each[-1]
    title = html.H3([f"{name}, step {newest.step}", *_earlier(run, "samples", each)])
    return html.Div([title, html.Pre(beginning(newest.path), className="sample")])


def _earlier(run: Run, folder: str, each: Sequence[Shown]) -> list:
    if len(each) < 2:
        return []
    links = [html.A(str(file.step), href=address(run, folder, file), target="_blank") for file in each[-2::-1]]
    return [html.Details([html.Summary(f"{len(links)} earlier"), html.Div(links, className="steps")])]


def _link(run: Run, folder: str, file: Shown) -> html.A:
    return html.A(Path(file.path).name, href=address(run, folder, file), target="_blank")


def _pairs(rows: Sequence[tuple[str, str, bool]]) -> html.Div:
    body = [
        html.Div([html.Span(key), html.Code(value)], className="differs" if mark else "") for key, value, mark in rows
    ]
    return html.Div(body, className="pairs")


def _flatten(tree: Mapping[str, Any], prefix: str, flat: dict[str, Value]) -> None:
    for key, value in tree.items():
        if isinstance(value, dict):
            _flatten(value, f"{prefix}{key}.", flat)
        else:
            flat[f"{prefix}{key}"] = value if isinstance(value, (bool, int, float)) or value is None else str(value)
