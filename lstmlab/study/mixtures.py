"""What the runs of a comparison do not have in common, although their results are set side by side."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

from lstmlab.study.runs import TEST, Run
from lstmlab.study.tuning import Chosen

_ENVIRONMENT = (("git_revision", "git revisions"), ("device", "devices"), ("devices", "numbers of devices"))
_BUDGETS = ("training.steps", "training.batch_size", "training.patience")
_SAME_SIZE = 1.1
"""ratio of parameters up to which sizes count as equal: a budget cannot be met exactly"""


def mixtures(chosen: Sequence[Chosen], by: Sequence[str]) -> list[str]:
    """One line per kind of mixture: code, packages, devices, data of a task, training steps, trials, sizes of models.

    Settings that were chosen on the values that are shown, which makes these too good, have a line too. What a run does
    not record, such as one of an earlier version, does not count; nor does what the rows are kept apart by (``by``).
    """
    runs = [run for each in chosen for run in each.setting.finished]
    lines = _line("splits", _groups((run.split, run) for run in runs))
    for key, what in _ENVIRONMENT:
        lines += _line(what, _groups((run.summary.get(key), run) for run in runs))
    packages = sorted({name for run in runs for name in _versions(run)})
    for name in packages:
        lines += _line(f"versions of {name}", _groups((_versions(run).get(name), run) for run in runs))
    for task in dict.fromkeys(each.entry.task_label for each in chosen):
        of_task = [each for each in chosen if each.entry.task_label == task]
        own = [run for each in of_task for run in each.setting.finished]
        lines += _line(f"data in {task}", _groups((run.summary.get("data_hash"), run) for run in own))
        for key in _BUDGETS:
            if key not in by:
                lines += _line(f"{key} in {task}", _groups((run.config.get(key), run) for run in own))
        lines += _trials(task, of_task) + _sizes(task, of_task) + _chosen_on_itself(task, of_task)
    return lines


def _trials(task: str, of_task: Sequence[Chosen]) -> list[str]:
    """Settings that were chosen among more trials of a search than others, or than others among settings of a sweep."""
    counts = {each.entry.label: each.trials or each.compared for each in of_task if each.setting.finished}
    if not any(each.trials for each in of_task) or len(set(counts.values())) < 2:
        return []
    (least, few), (most, many) = (pick(counts.items(), key=lambda item: item[1]) for pick in (min, max))
    return [f"caution: unequal numbers of search trials in {task}: {few} ({least}) to {many} ({most})"]


def _chosen_on_itself(task: str, of_task: Sequence[Chosen]) -> list[str]:
    chosen = [each for each in of_task if each.setting.finished and each.compared > 1]
    if not chosen or chosen[0].setting.runs[0].split == TEST:
        return []
    return [
        f"caution: {task} has validation values alone, and settings were chosen on them: the values are too good, and "
        "the more trials the better; runs on the test split, with fresh seeds, tell"
    ]


def _sizes(task: str, of_task: Sequence[Chosen]) -> list[str]:
    sizes = {each.entry.label: run.summary.get("parameters") for each in of_task for run in each.setting.finished[:1]}
    known = {label: size for label, size in sizes.items() if size}
    if not known or max(known.values()) <= _SAME_SIZE * min(known.values()):
        return []
    (least, few), (most, many) = (pick(known.items(), key=lambda item: item[1]) for pick in (min, max))
    return [
        f"caution: unequal numbers of parameters in {task}: {few} ({least}) to {many} ({most}); "
        "model.parameter_budget makes them equal"
    ]


def _line(what: str, groups: Mapping[Hashable, list[Run]]) -> list[str]:
    if len(groups) < 2:
        return []
    parts = [f"{value} ({len(runs)} runs, first: {runs[0].directory})" for value, runs in groups.items()]
    return [f"caution: different {what}: {', '.join(parts)}"]


def _groups(values: Iterable[tuple[Any, Run]]) -> dict[Hashable, list[Run]]:
    groups: dict[Hashable, list[Run]] = {}
    for value, run in values:
        if value is not None:
            groups.setdefault(value if isinstance(value, Hashable) else str(value), []).append(run)
    return groups


def _versions(run: Run) -> Mapping[str, Any]:
    versions = run.summary.get("versions")
    return versions if isinstance(versions, dict) else {}
