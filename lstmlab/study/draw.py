"""Pictures of a comparison: curves and intervals per task, the metric against a key, scores over tasks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from lstmlab.plots.curves import curves
from lstmlab.plots.intervals import intervals
from lstmlab.study.compare import Comparison
from lstmlab.study.groups import is_number, with_values
from lstmlab.study.runs import Run
from lstmlab.study.statistics import iqm_bands, iqm_interval
from lstmlab.study.tuning import Chosen
from lstmlab.tracking.files import METRICS, read_metrics, series


def draw(comparison: Comparison, directory: Path) -> list[Path]:
    """Write the pictures and return their paths: two per task, one per numeric key and task, one over tasks.

    comparison_<task>.png             validation over steps, the interquartile mean of the seeds with its interval
    comparison_<task>_intervals.png   the test metric of each cell with its interval
    comparison_by_<key>.png           the test metric against a ``--by`` key or a setting of the task
    comparison_over_tasks.png         normalised scores
    """
    finished = [entry for entry in comparison.chosen if entry.setting.finished]
    paths = []
    for task in dict.fromkeys(entry.contender.task_label for entry in finished):
        entries = [entry for entry in finished if entry.contender.task_label == task]
        stem = directory / f"comparison_{_file_name(task)}"
        paths += [_draw_curves(task, entries, stem), _draw_intervals(task, entries, stem)]
    for task in dict.fromkeys(entry.contender.task for entry in finished):
        entries = [entry for entry in finished if entry.contender.task == task]
        suffix = f"_{task}" if len(entries) < len(finished) else ""
        for key in _numeric_keys(entries):
            path = directory / f"comparison_by_{_file_name(key)}{suffix}.png"
            paths.append(_draw_by(key, entries, path))
    if any(row["score"] is not None for row in comparison.over_tasks):
        scores = {
            " ".join([row["cell"], *(f"{k}={v}" for k, v in row["by"].items())]): (
                row["score"],
                row["low"],
                row["high"],
            )
            for row in comparison.over_tasks
        }
        paths.append(directory / "comparison_over_tasks.png")
        intervals(paths[-1], scores, x_label="score: 0 is the trivial baseline, 1 the best run", title="All tasks")
    return paths


def curve_points(comparison: Comparison) -> Iterator[tuple[int, dict[str, float]]]:
    """The curves as numbers, step by step: ``adding/lstm`` and its ``/low`` and ``/high``."""
    by_step: dict[int, dict[str, float]] = {}
    for entry in comparison.chosen:
        steps, values = (
            _shared_curve(entry.setting.finished, _validation(entry)) if entry.setting.finished else ([], [])
        )
        if steps:
            name = f"{entry.contender.task_label}/{entry.contender.label}"
            for step, *numbers in zip(steps, *iqm_bands(np.asarray(values)), strict=True):
                found = zip((name, f"{name}/low", f"{name}/high"), map(float, numbers), strict=True)
                by_step.setdefault(step, {}).update(found)
    yield from sorted(by_step.items())


def _validation(entry: Chosen) -> str:
    return f"validation/{entry.setting.finished[0].summary['metric']}"


def _draw_curves(task: str, entries: Sequence[Chosen], stem: Path) -> Path:
    """Validation curves of the chosen settings, at the steps that all seeds have."""
    metric, lines, bands = entries[0].setting.finished[0].summary["metric"], {}, {}
    for entry in entries:
        steps, values = _shared_curve(entry.setting.finished, _validation(entry))
        if steps:
            middle, low, high = iqm_bands(values)
            lines[entry.contender.label] = (steps, middle)
            bands[entry.contender.label] = (low, high)
    path = stem.with_name(f"{stem.name}.png")
    curves(
        path, lines, x_label="optimiser steps", y_label=f"validation {metric}",
        title=f"{task}: validation {metric} by cell", baselines=_baseline(entries), bands=bands,
    )  # fmt: skip
    return path


def _shared_curve(runs: Sequence[Run], name: str) -> tuple[list[int], np.ndarray]:
    """Values ``[seeds, steps]`` at the steps that all runs have; runs without any row have no curve."""
    rows = [read_metrics(run.directory) for run in runs if (run.directory / METRICS).exists()]
    tables = [dict(zip(*series(each, name), strict=True)) for each in rows]
    tables = [table for table in tables if table]
    steps = sorted(set.intersection(*map(set, tables))) if tables else []
    return steps, np.array([[table[step] for step in steps] for table in tables], float)


def _draw_intervals(task: str, entries: Sequence[Chosen], stem: Path) -> Path:
    metric = entries[0].setting.finished[0].summary["metric"]
    dots = {e.contender.label: iqm_interval([run.value for run in e.setting.finished]) for e in entries}
    path = stem.with_name(f"{stem.name}_intervals.png")
    title = f"{task}: test {metric}, interquartile mean and 95 % interval"
    intervals(path, dots, x_label=f"test {metric}", title=title, baselines=_baseline(entries))
    return path


def _numeric_keys(entries: Sequence[Chosen]) -> list[str]:
    """Keys that keep rows apart, and whose values are at least two numbers."""
    values: dict[str, set] = {}
    for entry in entries:
        for key, value in (entry.contender.by | entry.contender.task_settings).items():
            values.setdefault(key, set()).add(value)
    return [key for key, seen in values.items() if sum(map(is_number, seen)) > 1]


def _draw_by(key: str, entries: Sequence[Chosen], path: Path) -> Path:
    """The test metric against one key; lines are told apart by the cell and the other keys."""
    points: dict[str, list[tuple[float, float, float, float]]] = {}
    for entry in entries:
        values = entry.contender.by | entry.contender.task_settings
        x = values.pop(key, None)
        if not is_number(x):
            continue
        name = with_values(entry.contender.cell, values)
        middle, low, high = iqm_interval([run.value for run in entry.setting.finished])
        ends = (middle, middle) if low is None or high is None else (low, high)
        points.setdefault(name, []).append((float(x), middle, *ends))
    parts = {name: np.array(sorted(rows)).T for name, rows in points.items()}
    metric = entries[0].setting.finished[0].summary["metric"]
    same_task = len({entry.contender.task_label for entry in entries}) == 1
    curves(
        path, {name: (p[0], p[1]) for name, p in parts.items()}, x_label=key, y_label=f"test {metric}",
        title=f"{entries[0].contender.task}: test {metric} by {key}",
        bands={name: (p[2], p[3]) for name, p in parts.items()},
        # Other settings of the task may have another baseline.
        baselines=_baseline(entries) if same_task else None,
    )  # fmt: skip
    return path


def _baseline(entries: Sequence[Chosen]) -> dict[str, float]:
    """The best trivial baseline of a task, or nothing."""
    run = entries[0].setting.finished[0]
    baselines = run.summary.get("baselines") or {}
    best = (min if run.goal == "min" else max)(baselines, key=baselines.__getitem__, default=None)
    return {} if best is None else {best: baselines[best]}


def _file_name(text: str) -> str:
    return re.sub(r"[^\w.-]+", "-", text)
