"""The figures of a comparison, and the numbers behind them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from lstmlab.plots.comparison import Estimates, draw_by_key, draw_scores, draw_test, draw_validation
from lstmlab.study.compare import Comparison, best_baseline
from lstmlab.study.groups import ConfigValue, is_number, with_values
from lstmlab.study.runs import Run
from lstmlab.study.statistics import iqm_bands, iqm_interval
from lstmlab.study.tuning import Chosen
from lstmlab.tracking.files import METRICS, read_metrics, series


def draw(comparison: Comparison, directory: Path) -> list[Path]:
    """Write the figures and return their paths: two per task, one per numeric key and task, one over tasks.

    comparison_<task>.png             validation over steps, the interquartile mean of the seeds with its interval
    comparison_<task>_intervals.png   the test metric of each cell with its interval
    comparison_by_<key>.png           the test metric against a ``--by`` key or a setting of the task
    comparison_over_tasks.png         normalised scores
    """
    finished = [chosen for chosen in comparison.chosen if chosen.setting.finished]
    paths = []
    for task in dict.fromkeys(chosen.entry.task_label for chosen in finished):
        of_task = [chosen for chosen in finished if chosen.entry.task_label == task]
        stem = f"comparison_{_file_name(task)}"
        metric, baselines = _metric(of_task), _baseline(of_task)
        paths += [directory / f"{stem}.png", directory / f"{stem}_intervals.png"]
        draw_validation(paths[-2], task, metric, _validation_curves(of_task), baselines)
        draw_test(paths[-1], task, metric, {c.entry.label: _test_interval(c) for c in of_task}, baselines)
    for task in dict.fromkeys(chosen.entry.task for chosen in finished):
        of_task = [chosen for chosen in finished if chosen.entry.task == task]
        suffix = f"_{task}" if len(of_task) < len(finished) else ""
        # Other settings of the task may have another baseline.
        same_settings = len({chosen.entry.task_label for chosen in of_task}) == 1
        baselines = _baseline(of_task) if same_settings else None
        for key in _numeric_keys(of_task):
            paths.append(directory / f"comparison_by_{_file_name(key)}{suffix}.png")
            draw_by_key(paths[-1], task, _metric(of_task), key, _lines_by_key(key, of_task), baselines)
    if any(row["score"] is not None for row in comparison.over_tasks):
        rows = comparison.over_tasks
        paths.append(directory / "comparison_over_tasks.png")
        draw_scores(
            paths[-1], {with_values(row["cell"], row["by"]): (row["score"], row["low"], row["high"]) for row in rows}
        )
    return paths


def curve_points(comparison: Comparison) -> Iterator[tuple[int, dict[str, float]]]:
    """The validation curves as numbers, step by step: ``adding/lstm`` and its ``/low`` and ``/high``."""
    by_step: dict[int, dict[str, float]] = {}
    for chosen in comparison.chosen:
        curve = _validation_curve(chosen) if chosen.setting.finished else None
        if curve is None:
            continue
        name = f"{chosen.entry.task_label}/{chosen.entry.label}"
        for step, *numbers in zip(*map(np.asarray, curve), strict=True):
            point = zip((name, f"{name}/low", f"{name}/high"), map(float, numbers), strict=True)
            by_step.setdefault(int(step), {}).update(point)
    yield from sorted(by_step.items())


def _validation_curves(of_task: Sequence[Chosen]) -> dict[str, Estimates]:
    curves = {chosen.entry.label: _validation_curve(chosen) for chosen in of_task}
    return {label: curve for label, curve in curves.items() if curve is not None}


def _validation_curve(chosen: Chosen) -> Estimates | None:
    """The interquartile mean over seeds of the validation metric; None where the seeds have no step in common."""
    steps, values = _shared_steps(chosen.setting.finished, f"validation/{_metric([chosen])}")
    return Estimates(steps, *iqm_bands(values)) if steps else None


def _shared_steps(runs: Sequence[Run], name: str) -> tuple[list[int], np.ndarray]:
    """Values ``[seeds, steps]`` of a metric at the steps that all runs have; runs without any row are left out."""
    rows = [read_metrics(run.directory) for run in runs if (run.directory / METRICS).exists()]
    tables = [dict(zip(*series(each, name), strict=True)) for each in rows]
    tables = [table for table in tables if table]
    steps = sorted(set.intersection(*map(set, tables))) if tables else []
    return steps, np.array([[table[step] for step in steps] for table in tables], float)


def _test_interval(chosen: Chosen) -> tuple[float, float | None, float | None]:
    return iqm_interval([run.value for run in chosen.setting.finished])


def _numeric_keys(of_task: Sequence[Chosen]) -> list[str]:
    """Keys that keep rows apart, and whose values are at least two numbers."""
    values: dict[str, set[ConfigValue]] = {}
    for chosen in of_task:
        for key, value in (chosen.entry.by | chosen.entry.task_settings).items():
            values.setdefault(key, set()).add(value)
    return [key for key, seen in values.items() if sum(map(is_number, seen)) > 1]


def _lines_by_key(key: str, of_task: Sequence[Chosen]) -> dict[str, Estimates]:
    """The test metric against one key; a line per cell and values of the other keys."""
    points: dict[str, list[tuple[float, float, float, float]]] = {}
    for chosen in of_task:
        others = chosen.entry.by | chosen.entry.task_settings
        x = others.pop(key, None)
        if not is_number(x):
            continue
        value, low, high = _test_interval(chosen)
        ends = (value, value) if low is None or high is None else (low, high)
        points.setdefault(with_values(chosen.entry.cell, others), []).append((float(x), value, *ends))
    return {name: Estimates(*np.array(sorted(rows)).T) for name, rows in points.items()}


def _metric(of_task: Sequence[Chosen]) -> str:
    return of_task[0].setting.finished[0].summary["metric"]


def _baseline(of_task: Sequence[Chosen]) -> dict[str, float]:
    """The best baseline of a task, or nothing."""
    value, name = best_baseline(of_task[0].setting.finished)
    return {} if value is None or name is None else {name: value}


def _file_name(text: str) -> str:
    return re.sub(r"[^\w.-]+", "-", text)
