"""Figures of findings: of one run a line per checkpoint, of several a line per kind of run with a band of seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lstmlab.explain.findings import Finding, Placed, RunFindings
from lstmlab.plots.cell_styles import Look, looks, of_labels
from lstmlab.plots.panels import Line, Panel, panels


class Chart(NamedTuple):
    """Which series of which finding a chart shows; names ending in ``*`` stand for all that begin so."""

    finding: str
    series: str
    title: str


CHARTS: dict[str, tuple[Chart, ...]] = {
    "gradients": (
        Chart("loss_gradient", "median", "‖∂L/∂s‖, median of sequences"),
        Chart("state_jacobian", "largest", "largest singular value of ∂s_T/∂s_(T−k)"),
        Chart("state_jacobian", "typical", "root mean square singular value"),
    ),
    "gates": (
        Chart("gate_summary", "mean", "mean activation"),
        Chart("gate_summary", "closed", "share below 0.1"),
        Chart("gate_summary", "open", "share above 0.9"),
        Chart("time_constants_units_*", "time constant", "time constants of units: "),
        Chart("time_constants_*", "share", "time constants of units and steps: "),
        Chart("gate_trace_*", "mean", "mean of units over one sequence: "),
    ),
    "memory": (
        Chart("probe", "probe", "linear probe of the input k steps back"),
        Chart("reset_effect", "output", "change of the output after a reset"),
        Chart("reset_loss", "loss", "loss after a reset"),
    ),
    "dynamics": (
        Chart("lyapunov_exponents", "mean", "Lyapunov exponents"),
        Chart("participation_ratio", "participation ratio", "participation ratio of states"),
        Chart("recurrent_spectrum_*", "singular values", "singular values of the map for "),
    ),
    "generalisation": (
        Chart("error_by_length", "", "by length"),
        Chart("error_by_position", "", "by position"),
    ),
}
"""The charts of each diagnostic; an empty series is the task's metric"""


def charted(placed: Placed, metric: str) -> list[str]:
    """The series of a finding that charts show; ``metric`` is that of the task."""
    charts = CHARTS.get(placed.diagnostic, ())
    named = [chart.series or metric for chart in charts if _stands_for(chart.finding, placed.finding.name)]
    return [series for series in named if series in placed.finding.series]


def draw_run(found: RunFindings, directory: Path, kind: str) -> list[Path]:
    """Write the figures of one run; returns their paths."""
    lines = [(placed.checkpoint, placed) for placed in found.findings]
    about = f"{found.run['cell']} on {found.run['task']}, seed {found.run['seed']}"
    return _figures(lines, found.run["metric"], directory, kind, about, "")


def draw_runs(
    labelled: Sequence[tuple[str, RunFindings]], directory: Path, kind: str, task: str, prefix: str
) -> list[Path]:
    """Write the figures of several runs on one task, at initialisation and of the best models.

    Runs of one label are a line: the mean over them, with the range from the least to the largest as its band. It has
    the colour of its cell.
    """
    written = []
    metric, styles = labelled[0][1].run["metric"], looks(of_labels(label for label, _ in labelled))
    for checkpoint in ("initialisation", "best"):
        lines = [(label, p) for label, found in labelled for p in found.findings if p.checkpoint == checkpoint]
        about = f"{task}, {checkpoint}{_seeds([label for label, _ in labelled])}"
        written += _figures(lines, metric, directory, kind, about, f"{prefix}_{checkpoint}_", styles)
    return written


def _figures(
    lines: Sequence[tuple[str, Placed]],
    metric: str,
    directory: Path,
    kind: str,
    about: str,
    prefix: str,
    styles: Mapping[str, Look] | None = None,
) -> list[Path]:
    written = []
    layers = sorted({placed.layer for _, placed in lines})
    for layer in layers:
        for diagnostic, charts in CHARTS.items():
            here = [(label, p) for label, p in lines if p.layer == layer and p.diagnostic == diagnostic]
            drawn = [panel for chart in charts for panel in _panels(chart, here, metric)]
            if drawn:
                suffix = f"_layer{layer}" if len(layers) > 1 else ""
                written.append(directory / f"{prefix}{diagnostic}{suffix}.{kind}")
                title = f"{diagnostic}: {about}{f', layer {layer}' if suffix else ''}"
                panels(written[-1], drawn, title=title, looks=styles)
    return written


def _seeds(labels: Sequence[str]) -> str:
    """How many runs a line stands for, where that is more than one."""
    counts = sorted({labels.count(label) for label in labels})
    if counts == [1]:
        return ""
    return f" (mean and range of {' to '.join(str(count) for count in dict.fromkeys((counts[0], counts[-1])))} runs)"


def _panels(chart: Chart, lines: Iterable[tuple[str, Placed]], metric: str) -> list[Panel]:
    """One panel for each finding that the chart stands for."""
    by_name: dict[str, dict[str, list[Finding]]] = {}
    for label, placed in lines:
        finding = placed.finding
        if _stands_for(chart.finding, finding.name) and (chart.series or metric) in finding.series:
            by_name.setdefault(finding.name, {}).setdefault(label, []).append(finding)
    return [_panel(chart, name, found, metric) for name, found in by_name.items()]


def _stands_for(pattern: str, name: str) -> bool:
    if not pattern.endswith("*"):
        return pattern == name
    rest = name.removeprefix(pattern[:-1])
    return name.startswith(pattern[:-1]) and not rest.startswith(("units_", "quantiles_"))


def _panel(chart: Chart, name: str, found: Mapping[str, list[Finding]], metric: str) -> Panel:
    series = chart.series or metric
    first = next(iter(found.values()))[0]
    wild = name.removeprefix(chart.finding[:-1]).replace("_", " ") if chart.finding.endswith("*") else ""
    title = f"{chart.title}{wild}" if chart.series else f"{metric} {chart.title}"
    named = [str(v) for v in first.axis.values] if isinstance(first.axis.values[0], str) else []
    if named:  # cells have different gates and fields: places for all of them
        named = list(dict.fromkeys(str(v) for each in found.values() for one in each for v in one.axis.values))
    return Panel(
        title, _axis_label(first), "ratio" if first.unit == "1" else first.unit.partition(",")[0],
        {label: _line(same, series, named) for label, same in found.items()},
        share=series in ("closed", "open"), log_x=first.axis.scale == "log", log_y=first.scale == "log", names=named,
        marks=first.axis.marks,
    )  # fmt: skip


def _axis_label(finding: Finding) -> str:
    name, unit = finding.axis.name, finding.axis.unit
    return f"{name} ({unit})" if unit and unit != f"{name}s" else name


def _line(same: Sequence[Finding], series: str, named: Sequence[str]) -> Line:
    """The mean over seeds where all have a value, and their range."""
    places: dict[float, list[float]] = {}
    for finding in same:
        for at, value in zip(finding.axis.values, finding.series[series], strict=True):
            places.setdefault(float(named.index(str(at)) if named else at), []).append(_float(value))
    xs = sorted(x for x, values in places.items() if len(values) == len(same))
    ys = np.array([places[x] for x in xs], float).reshape(len(xs), len(same))
    log = same[0].scale == "log" and bool(np.all(ys > 0))
    mean = np.exp(np.log(ys).mean(axis=1)) if log else ys.mean(axis=1)
    return Line(xs, mean) if len(same) == 1 else Line(xs, mean, ys.min(axis=1), ys.max(axis=1))


def _float(value: float | None) -> float:
    return np.nan if value is None else float(value)
