"""The figures of a comparison, and the numbers behind them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from lstmlab.plots.comparison import (
    Estimates,
    draw_by_key,
    draw_metric,
    draw_profiles,
    draw_scores,
    draw_validation,
)
from lstmlab.plots.ranks import rank_diagram
from lstmlab.study.compare import Comparison
from lstmlab.study.curves import goal_of, metric_of, metric_with_split, number_of, validation_curves
from lstmlab.study.groups import ConfigValue, is_number, with_values
from lstmlab.study.ranks import groups
from lstmlab.study.rows import baseline_of
from lstmlab.study.statistics import ESTIMATORS
from lstmlab.study.tuning import Chosen


def draw(comparison: Comparison, directory: Path, kind: str = "png") -> list[Path]:
    """Write the figures and return their paths: two per task, one per numeric key and task, three over tasks.

    ``kind`` is ``png``, or ``svg`` or ``pdf`` for a paper.

    comparison_<task>.png             validation over steps, the mean of the seeds with its interval (or range)
    comparison_<task>_intervals.png   the test metric (or validation's) of each cell with its interval
    comparison_by_<key>.png           the same metric against a ``--by`` key or a setting of the task
    comparison_over_tasks.png         normalised scores
    comparison_profiles.png           the share of runs that reach a score
    comparison_ranks.png              average ranks over tasks with the critical difference
    """
    finished = [chosen for chosen in comparison.chosen if chosen.setting.finished]
    statistics = {with_values(row["task"], row["task_settings"]): row["statistic"] for row in comparison.rows}
    paths = []
    for task in dict.fromkeys(chosen.entry.task_label for chosen in finished):
        of_task = [chosen for chosen in finished if chosen.entry.task_label == task]
        stem = f"comparison_{_file_name(task)}"
        metric, baselines = metric_of(of_task), best_baseline_of(of_task)
        paths += [directory / f"{stem}.{kind}", directory / f"{stem}_intervals.{kind}"]
        lines, band = validation_curves(of_task)
        # The curves are of the validation split, baselines of the test split.
        on_test = {f"{name}, on test": value for name, value in baselines.items()}
        goal = goal_of(of_task)
        draw_validation(paths[-2], task, metric, goal, lines, on_test, band)
        estimates = {c.entry.label: _interval(c, statistics[task]) for c in of_task}
        statistic = f"{statistics[task]} of {seeds_of(of_task)}"
        draw_metric(paths[-1], task, metric_with_split(of_task), goal, estimates, baselines, statistic)
    for task in dict.fromkeys(chosen.entry.task for chosen in finished):
        of_task = [chosen for chosen in finished if chosen.entry.task == task]
        suffix = f"_{task}" if len(of_task) < len(finished) else ""
        # Other settings of the task may have another baseline.
        same_settings = len({chosen.entry.task_label for chosen in of_task}) == 1
        baselines = best_baseline_of(of_task) if same_settings else None
        for key in numeric_keys(of_task):
            paths.append(directory / f"comparison_by_{_file_name(key)}{suffix}.{kind}")
            lines = lines_by_key(key, of_task, statistics)
            statistic = f"mean of {seeds_of(of_task)}"
            draw_by_key(
                paths[-1], task, metric_with_split(of_task), goal_of(of_task), key, lines, baselines, statistic
            )  # fmt: skip
    if any(row["score"] is not None for row in comparison.over_tasks):
        rows = comparison.over_tasks
        paths.append(directory / f"comparison_over_tasks.{kind}")
        draw_scores(
            paths[-1], {with_values(row["cell"], row["by"]): (row["score"], row["low"], row["high"]) for row in rows}
        )
        paths.append(directory / f"comparison_profiles.{kind}")
        draw_profiles(paths[-1], comparison.across.scores)
    if ranks := comparison.across.ranks:
        paths.append(directory / f"comparison_ranks.{kind}")
        ordered = dict(sorted(ranks.average.items(), key=lambda item: item[1]))
        bars = groups(list(ordered.values()), ranks.critical_difference)
        title = f"Average ranks over {ranks.tasks} tasks; bars join what is not told apart (Nemenyi, 5 %)"
        rank_diagram(paths[-1], ordered, ranks.critical_difference, bars, title)
    return paths


def _interval(chosen: Chosen, statistic: str) -> tuple[float, float | None, float | None]:
    return ESTIMATORS[statistic]([run.value for run in chosen.setting.finished])


def numeric_keys(of_task: Sequence[Chosen]) -> list[str]:
    """Keys that keep rows apart, and whose values are at least two numbers."""
    values: dict[str, set[ConfigValue]] = {}
    for chosen in of_task:
        for key, value in (chosen.entry.by | chosen.entry.task_settings).items():
            values.setdefault(key, set()).add(value)
    return [key for key, seen in values.items() if sum(map(is_number, seen)) > 1]


def lines_by_key(key: str, of_task: Sequence[Chosen], statistics: Mapping[str, str]) -> dict[str, Estimates]:
    """The metric against one key; a line per cell and values of the other keys."""
    points: dict[str, list[tuple[float, float, float, float]]] = {}
    for chosen in of_task:
        others = chosen.entry.by | chosen.entry.task_settings
        x = others.pop(key, None)
        if not is_number(x):
            continue
        value, low, high = _interval(chosen, statistics[chosen.entry.task_label])
        ends = (value, value) if low is None or high is None else (low, high)
        points.setdefault(with_values(chosen.entry.cell, others), []).append((float(x), value, *ends))
    return {name: Estimates(*np.array(sorted(rows)).T) for name, rows in points.items()}


def seeds_of(of_task: Sequence[Chosen]) -> str:
    """How many seeds are behind the estimates of a task, in words."""
    return number_of([len(chosen.setting.finished) for chosen in of_task])


def best_baseline_of(of_task: Sequence[Chosen]) -> dict[str, float]:
    """The best baseline of a task, or nothing."""
    value, name = baseline_of(of_task[0].setting.finished)
    return {} if value is None or name is None else {name: value}


def _file_name(text: str) -> str:
    return re.sub(r"[^\w.-]+", "-", text)
