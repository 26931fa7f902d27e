"""What quality costs in time and memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lstmlab.plots.comparison import better
from lstmlab.report.blocks import Figure, Folded, Lines, Section
from lstmlab.report.collected import Collected
from lstmlab.report.figures.scatter import Point, time_against_quality
from lstmlab.study.curves import metric_with_split
from lstmlab.study.rows import memory_of
from lstmlab.study.runs import Run
from lstmlab.study.tuning import Chosen

_MIB = 2**20
_BESIDE = (
    "Runs of one sweep train side by side on one device, so their seconds are longer than those of the same run alone, "
    "and only comparable with each other; they share one process, and so its peak memory."
)


def cost(collected: Collected) -> Section:
    """The metric of every run against seconds of training, peak memory, parameters and size of the state."""
    blocks: list[Any] = []
    for task, of_task in collected.tasks.items():
        blocks += _figure(task, of_task, collected, "seconds of training", _seconds)
        blocks += _figure(task, of_task, collected, "peak memory of the device (MiB)", _mebibytes("device"))
        blocks += _figure(task, of_task, collected, "peak memory of the process (MiB)", _mebibytes("host"))
        size = _figure(task, of_task, collected, "parameters", _summary("parameters"))
        size += _figure(task, of_task, collected, "scalars of the state", _summary("state_size"))
        if size:
            blocks.append(Folded(f"{task}: against parameters and scalars of the state", size))
    return Section("cost", "Time and memory against quality", [*blocks, Lines([_BESIDE])] if blocks else [])


def _figure(
    task: str, of_task: list[Chosen], collected: Collected, what: str, cost_of: Callable[[Run], float | None]
) -> list[Figure]:
    points = {}
    for chosen in of_task:
        costs = [(run, cost_of(run)) for run in chosen.setting.finished]
        own = [Point(x, run.value, f"seed {run.seed}") for run, x in costs if x is not None]
        if own:
            points[chosen.entry.label] = own
    if len({point.x for own in points.values() for point in own}) < 2:  # a cost that all share tells nothing
        return []
    metric, goal = metric_with_split(of_task), of_task[0].setting.finished[0].goal
    figure = time_against_quality(points, collected.styles, x_label=what, y_label=metric)
    title = f"{task}: {metric} against {what} ({better(goal)})"
    means = "; ".join(f"{name} {sum(p.x for p in own) / len(own):.3g}" for name, own in points.items())
    return [Figure(figure, title, f"{title}; mean {what}: {means}")]


def _seconds(run: Run) -> float | None:
    seconds = run.summary.get("seconds")
    return seconds.get("train") if isinstance(seconds, dict) else None


def _mebibytes(where: str) -> Callable[[Run], float | None]:
    def cost(run: Run) -> float | None:
        peak = memory_of(run, where)
        return None if peak is None else peak / _MIB

    return cost


def _summary(key: str) -> Callable[[Run], float | None]:
    return lambda run: run.summary.get(key)
