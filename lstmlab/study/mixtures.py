"""What the runs of a comparison do not have in common, although their results are set side by side."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

from lstmlab.study.runs import Run
from lstmlab.study.tuning import Chosen

_ENVIRONMENT = (("git_revision", "git revisions"), ("device", "devices"), ("devices", "numbers of devices"))
_BUDGETS = ("training.steps", "training.batch_size")
_SAME_SIZE = 1.1
"""ratio of parameters up to which sizes count as equal: a budget cannot be met exactly"""


def mixtures(chosen: Sequence[Chosen], by: Sequence[str]) -> list[str]:
    """One line per kind of mixture: code, packages, devices, data of a task, training steps, sizes of models.

    What a run does not record, such as one of an earlier version, does not count; nor does what the rows are kept
    apart by (``by``).
    """
    runs = [run for each in chosen for run in each.setting.finished]
    lines = []
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
        lines += _sizes(task, of_task)
    return lines


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
