"""Which hyperparameters matter, where enough settings were tried: importances and parallel coordinates."""

from __future__ import annotations

from typing import Any

from lstmlab.report.blocks import Figure, Lines, Section
from lstmlab.report.collected import Collected
from lstmlab.report.figures.importance import Share
from lstmlab.report.figures.importance import importance as importance_figure
from lstmlab.report.figures.parallel import parallel_coordinates
from lstmlab.study.importance import Importance, importance, on_log_scale
from lstmlab.study.write_importance import notes
from lstmlab.tracking.files import RunError

_FEWEST_SETTINGS = 6
"""settings of one cell from which its runs count as a search"""


def search(collected: Collected) -> Section:
    """Importances of the keys in which the runs of a task differ, for tasks with a search.

    They are those of ``lstmlab importance``; where it cannot say anything, its reason stands in their place.
    """
    blocks: list[Any] = []
    for task in _searched(collected):
        try:
            blocks += _of_task(importance(collected.directories, task=task), _goal(task, collected))
        except RunError as error:
            blocks.append(Lines([f"{task}: {error}"]))
    return Section("search", "Hyperparameters", blocks)


def _searched(collected: Collected) -> list[str]:
    found = [c.entry.task for c in collected.comparison.chosen if c.tried >= _FEWEST_SETTINGS]
    return list(dict.fromkeys(found))


def _of_task(result: Importance, goal: str) -> list[Any]:
    shares = {row["key"]: Share(row["importance"], row["sd"], row["floor"]) for row in result.rows}
    said = "; ".join(f"{key} {share.value:.2f}" for key, share in shares.items())
    title = f"{result.task}: what matters for validation {result.metric} (functional ANOVA)"
    columns = {key: [setting[key] for setting in result.settings] for key in shares}
    log = [key for key, values in columns.items() if on_log_scale(values)]
    short = _short(list(columns))
    figure = parallel_coordinates(
        {short[key]: values for key, values in columns.items()}, result.values,
        metric=f"validation {result.metric}", goal=goal, log=[short[key] for key in log],
    )  # fmt: skip
    runs = (
        f"{result.task}: the {len(result.values)} runs through the values of their keys; drag along an axis to select"
    )
    return [
        Figure(importance_figure(shares), title, f"{title}: {said}"),
        Lines(notes(result)),
        Figure(figure, runs, f"{runs}. The colour is the rank of the run."),
    ]


def _goal(task: str, collected: Collected) -> str:
    return next(run.goal for run in collected.finished if run.task == task)


def _short(keys: list[str]) -> dict[str, str]:
    """The last part of each key, where no other key ends so."""
    ends = [key.rpartition(".")[2] for key in keys]
    return {key: end if ends.count(end) == 1 else key for key, end in zip(keys, ends, strict=True)}
