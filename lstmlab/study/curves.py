"""The learning curves of a comparison: means over seeds with their bands, from the rows that runs have logged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from lstmlab.plots.comparison import Estimates
from lstmlab.study.compare import Comparison
from lstmlab.study.runs import Run
from lstmlab.study.statistics import FEWEST, bands
from lstmlab.study.tuning import Chosen
from lstmlab.tracking.files import METRICS, read_metrics, series

Table = dict[int, float]
"""one metric of one run by step"""


def validation_curves(of_task: Sequence[Chosen]) -> tuple[dict[str, Estimates], str]:
    """The mean over seeds of the validation metric by cell, and what the bands are, in words.

    Cells whose seeds have no step in common are left out.
    """
    tables = {chosen.entry.label: _validation(chosen) for chosen in of_task}
    return mean_curves(tables)


def mean_curves(tables: Mapping[str, Sequence[Table]]) -> tuple[dict[str, Estimates], str]:
    """The mean over the tables of each name at the steps that all of them have, and what the bands are, in words."""
    found = {name: shared_steps(own) for name, own in tables.items()}
    known = {name: (steps, values) for name, (steps, values) in found.items() if steps}
    fewest = min((len(values) for _, values in known.values()), default=0)
    interval = fewest >= FEWEST  # for all cells or for none: bands of one picture mean the same
    lines = {name: Estimates(steps, *bands(values, interval=interval)) for name, (steps, values) in known.items()}
    counts = [len(values) for _, values in known.values()]
    if max(counts, default=0) < 2:
        return lines, "one seed"
    return lines, f"mean of {number_of(counts)}, {'95 % t interval' if interval else 'range of the seeds'}"


def number_of(counts: Sequence[int]) -> str:
    """How many seeds each of several estimates has, in words: ``5 seeds`` or ``3 to 5 seeds``."""
    least, most = min(counts), max(counts)
    return "1 seed" if most == 1 else f"{most} seeds" if least == most else f"{least} to {most} seeds"


def curve_points(comparison: Comparison) -> Iterator[tuple[int, dict[str, float]]]:
    """The validation curves as numbers, step by step: ``adding/lstm`` and its ``/low`` and ``/high``.

    Below three seeds they are the range of the seeds.
    """
    by_step: dict[int, dict[str, float]] = {}
    for chosen in comparison.chosen:
        steps, values = shared_steps(_validation(chosen)) if chosen.setting.finished else ([], np.zeros(0))
        if not steps:
            continue
        curve = (steps, *bands(values, interval=len(values) >= FEWEST))
        name = f"{chosen.entry.task_label}/{chosen.entry.label}"
        for step, *numbers in zip(*map(np.asarray, curve), strict=True):
            point = zip((name, f"{name}/low", f"{name}/high"), map(float, numbers), strict=True)
            by_step.setdefault(int(step), {}).update(point)
    yield from sorted(by_step.items())


def shared_steps(tables: Sequence[Table]) -> tuple[list[int], np.ndarray]:
    """Values ``[tables, steps]`` at the steps that all tables have; tables without any row are left out."""
    filled = [table for table in tables if table]
    steps = sorted(set.intersection(*map(set, filled))) if filled else []
    return steps, np.array([[table[step] for step in steps] for table in filled], float)


def logged(run: Run, names: Sequence[str]) -> dict[str, Table]:
    """Some metrics of a run by name, each by step; empty tables where nothing was logged."""
    rows = read_metrics(run.directory) if (run.directory / METRICS).exists() else []
    return {name: dict(zip(*series(rows, name), strict=True)) for name in names}


def metric_of(of_task: Sequence[Chosen]) -> str:
    """The metric by which the task is judged; the first entry has a finished run."""
    return of_task[0].setting.finished[0].summary["metric"]


def goal_of(of_task: Sequence[Chosen]) -> str:
    """``min`` or ``max``: which direction of the metric is good; the first entry has a finished run."""
    return of_task[0].setting.finished[0].goal


def metric_with_split(of_task: Sequence[Chosen]) -> str:
    """The same with the split of the results before it: ``test mse``, or ``validation mse`` for trials of a search."""
    return f"{of_task[0].setting.finished[0].split} {metric_of(of_task)}"


def _validation(chosen: Chosen) -> list[Table]:
    name = f"validation/{metric_of([chosen])}"
    return [logged(run, [name])[name] for run in chosen.setting.finished]
