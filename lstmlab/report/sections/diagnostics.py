"""Diagnostics of the cells side by side, where ``lstmlab explain`` has written them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from lstmlab.report.blocks import Figure, Folded, Lines, Section, Table
from lstmlab.report.collected import Collected
from lstmlab.report.explained import Finding, NotExplained, findings_of
from lstmlab.report.figures.curves import Curve, add_marks, learning_curves
from lstmlab.study.groups import is_number
from lstmlab.study.tuning import Chosen

_OF_ONE_RUN = (
    "gate_histogram",
    "gate_saturation",
    "gate_trace",
    "time_constants_units",
    "hardest",
    "recurrent_spectrum",
)
"""findings on single units or sequences, which say little side by side; they are in the run's own figures"""

_IN_NUMBERS = "the curves below in the middle and at their end, mean over runs and range"

Labelled = dict[str, list[Finding]]
"""the same finding of the runs of each row, by label"""


def diagnostics(collected: Collected) -> Section:
    """A figure per finding with a line per cell: the mean of its runs, and their range."""
    blocks: list[Any] = []
    problems: list[str] = []
    for task, of_task in collected.tasks.items():
        by_key = _by_key(of_task, problems)
        if rows := _in_numbers(by_key, labels := [chosen.entry.label for chosen in of_task]):
            blocks.append(Table(["of the best model", "at", *labels], rows, f"{task}: {_IN_NUMBERS}"))
        for diagnostic in dict.fromkeys(key[0] for key in by_key):
            own = [_block(found, collected) for key, found in by_key.items() if key[0] == diagnostic]
            if own:
                blocks.append(Folded(f"{task}: {diagnostic}", own))
    if problems:
        blocks.append(Lines(problems, "caution"))
    if not blocks:
        return Section("diagnostics", "Diagnostics")
    about = "Of the best model of each run. Lines are means over runs, bands their range (docs/explain.md)."
    return Section("diagnostics", "Diagnostics", [Lines([about]), *blocks])


def _by_key(of_task: list[Chosen], problems: list[str]) -> dict[tuple[str, str, int], Labelled]:
    by_key: dict[tuple[str, str, int], Labelled] = {}
    for label, finding in _findings(of_task, problems):
        if not finding.name.startswith(_OF_ONE_RUN) and len(finding.xs) > 1:
            by_key.setdefault(finding.key, {}).setdefault(label, []).append(finding)
    return by_key


def _findings(of_task: list[Chosen], problems: list[str]) -> Iterator[tuple[str, Finding]]:
    for chosen in of_task:
        for run in chosen.setting.finished:
            try:
                for finding in findings_of(run.directory):
                    yield chosen.entry.label, finding
            except NotExplained as error:
                problems.append(str(error))


def _in_numbers(by_key: dict[tuple[str, str, int], Labelled], labels: list[str]) -> list[list[str]]:
    """Rows of numbers from the figures: a finding, a place on its axis, and a value for each label."""
    rows = []
    for found in by_key.values():
        first = next(iter(found.values()))[0]
        if not all(is_number(x) for x in first.xs) or first.log_axis:  # names and histograms have no middle
            continue
        curves = {label: _curve(same) for label, same in found.items()}
        for place in sorted({len(first.xs) // 2, len(first.xs) - 1}):
            at = f"{first.axis.partition(' (')[0]} {first.xs[place]:g}"
            rows.append([_name(first), at, *(_value(curves.get(label), first.xs[place]) for label in labels)])
    return rows


def _value(curve: Curve | None, x: float) -> str:
    xs = [] if curve is None else list(np.atleast_1d(curve.xs))
    if curve is None or x not in xs:
        return "–"
    place = xs.index(x)
    mean = f"{np.asarray(curve.ys)[place]:.2g}"
    if curve.lows is None or curve.highs is None:
        return mean
    return f"{mean} [{np.asarray(curve.lows)[place]:.2g}, {np.asarray(curve.highs)[place]:.2g}]"


def _name(finding: Finding) -> str:
    return f"{finding.title}{f', layer {finding.layer}' if finding.layer else ''} ({finding.main})"


def _block(found: Labelled, collected: Collected) -> Figure | Table:
    first = next(iter(found.values()))[0]
    title = f"{first.title}{f', layer {first.layer}' if first.layer else ''}"
    if not all(is_number(x) for x in first.xs):
        return _table(title, found)
    curves = {label: _on_axis(_curve(same), log=first.log) for label, same in found.items()}
    unit = first.unit if first.unit not in ("", "1") else first.main
    figure = learning_curves(curves, collected.styles, x_label=first.axis, y_label=unit, log_y=first.log)
    add_marks(figure, first.marks)
    if first.log_axis:
        figure.update_xaxes(type="log")
    said = f"{first.main} along {first.axis} for {', '.join(curves)}"
    return Figure(figure, _name(first), f"{title}: {said}", log=not first.log)


def _curve(same: list[Finding]) -> Curve:
    """Mean and range over the runs at the places that all of them have."""
    tables = [dict(zip(each.xs, each.series[each.main], strict=True)) for each in same if each.main in each.series]
    xs = [x for x in tables[0] if all(x in table for table in tables)]
    values = [[table[x] for table in tables] for x in xs]
    means = [sum(row) / len(row) for row in values]
    if len(tables) == 1:
        return Curve(xs, means)
    return Curve(xs, means, [min(row) for row in values], [max(row) for row in values])


def _on_axis(curve: Curve, *, log: bool) -> Curve:
    """The curve without points that a logarithmic axis cannot show, such as a gradient of 0."""
    ys = np.asarray(curve.ys, float)
    return dataclasses.replace(curve, ys=np.where(ys > 0, ys, np.nan)) if log else curve


def _table(title: str, found: Labelled) -> Table:
    """A row per cell and name on the axis, such as a gate: the mean over runs of every series."""
    series = list(dict.fromkeys(name for same in found.values() for each in same for name in each.series))
    axis = next(iter(found.values()))[0].axis
    rows = []
    for label, same in found.items():
        for place, name in enumerate(same[0].xs):
            values = [[each.series[one][place] for each in same if each.xs == same[0].xs and one in each.series]
                      for one in series]  # fmt: skip
            rows.append([label, str(name), *(f"{sum(row) / len(row):.3g}" if row else "–" for row in values)])
    return Table(["cell", axis, *series], rows, title)
