"""Which runs belong together: seeds to a setting, settings to a contender, contenders to a task."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lstmlab.config import PLACE_KEYS
from lstmlab.study.runs import UNFINISHED, Run
from lstmlab.tracking.files import RunError

_NOT_SETTINGS = ("seed", "name", "resume", "wandb")
_OF_TASK = ("task.", "data.")  # with a table of the user's, sections that say what is learned
MISSING = "–"


@dataclass(frozen=True)
class Setting:
    """Runs that differ in their seed alone; ``values`` are the keys in which settings of one contender differ."""

    values: dict[str, Any]
    runs: list[Run]

    @property
    def finished(self) -> list[Run]:
        """Runs with a result."""
        return [run for run in self.runs if run.finished]

    @property
    def ended(self) -> list[Run]:
        """Runs with a result, and runs that failed."""
        return [run for run in self.runs if run.status != UNFINISHED]


@dataclass(frozen=True)
class Contender:
    """What gets one row: a cell on a task, at the values of the ``--by`` keys; its settings in order of directory."""

    task: str
    task_settings: dict[str, Any]
    cell: str
    by: dict[str, Any]
    settings: list[Setting]

    @property
    def task_label(self) -> str:
        """The task with its settings, such as ``adding length=200``."""
        return with_values(self.task, self.task_settings)

    @property
    def label(self) -> str:
        """The cell with the values of the ``--by`` keys, such as ``gru model.hidden_size=64``."""
        return with_values(self.cell, self.by)


def contenders(runs: Sequence[Run], by: Sequence[str] = ()) -> tuple[list[Contender], list[Run]]:
    """The contenders in order of task and of appearance, and the runs that another run of their seed replaces.

    Keys of the task in which runs of that task differ keep them apart, and so do the keys ``by``. Raises ``RunError``
    where no run has such a key.
    """
    for key in by:
        _check_key(key, runs)
    groups: dict[tuple[Any, ...], list[Run]] = {}
    of_task = _split(runs, lambda run: run.task)
    kept = {task: [k for k in differing(same) if k.startswith(_OF_TASK)] for task, same in of_task.items()}
    apart = [key for key in by if not key.startswith(_OF_TASK)]
    for run in runs:
        task = tuple((k, run.config.get(k, MISSING)) for k in kept[run.task])
        values = tuple((k, run.config.get(k, MISSING)) for k in apart)
        groups.setdefault((run.task, task, run.cell, values), []).append(run)
    made, replaced = [], []
    for (task, task_settings, cell, values), members in groups.items():
        settings, older = _settings(members)
        made.append(Contender(task, dict(task_settings), cell, dict(values), settings))
        replaced += older
    order = {name: i for i, name in enumerate(sorted(of_task))}
    return sorted(made, key=lambda c: (order[c.task], [_sortable(v) for v in c.task_settings.values()])), replaced


def with_values(name: str, values: Mapping[str, Any]) -> str:
    """``name key=value …``, without the prefix of the task's own keys."""
    return " ".join([name, *(f"{key.removeprefix('task.')}={value}" for key, value in values.items())])


def differing(runs: Sequence[Run]) -> list[str]:
    """The configuration keys in which runs differ, sorted, without names, places and the seed.

    A key that only some runs have (older ones lack it) differs where those that have it do.
    """
    seen: dict[str, set[Any]] = {}
    for run in runs:
        for key, value in run.config.items():
            seen.setdefault(key, set()).add((type(value) is bool, value))
    return sorted(k for k, v in seen.items() if len(v) > 1 and _is_setting(k))


def _is_setting(key: str) -> bool:
    return key.split(".")[0] not in _NOT_SETTINGS and key not in PLACE_KEYS


def is_number(value: Any) -> bool:
    """Whether a configuration value is a number: booleans are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _settings(runs: Sequence[Run]) -> tuple[list[Setting], list[Run]]:
    keys = differing(runs)
    made, replaced = [], []
    for values, same in _split(runs, lambda run: tuple(run.config.get(k, MISSING) for k in keys)).items():
        newest: dict[Any, Run] = {}
        for run in same:
            before = newest.get(run.seed)
            if before is None:
                newest[run.seed] = run
                continue
            newest[run.seed], older = (before, run) if _precedence(before) > _precedence(run) else (run, before)
            replaced.append(older)
        made.append(Setting(dict(zip(keys, values, strict=True)), list(newest.values())))
    return made, replaced


def _precedence(run: Run) -> tuple[bool, float]:
    """The newest run of a seed counts, but one that has not ended does not replace one that has."""
    return run.status != UNFINISHED, run.written


def _split(runs: Iterable[Run], key: Any) -> dict[Any, list[Run]]:
    parts: dict[Any, list[Run]] = {}
    for run in runs:
        parts.setdefault(key(run), []).append(run)
    return parts


def _check_key(key: str, runs: Sequence[Run]) -> None:
    known = sorted({k for run in runs for k in run.config})
    if not _is_setting(key) or key in ("cell.name", "task.name"):
        raise RunError(f"--by {key}: rows are always kept apart by task and cell, and never by seed, name or place")
    if key not in known:
        near = difflib.get_close_matches(key, known, 1)
        meant = f"; did you mean '{near[0]}'?" if near else ""
        raise RunError(f"--by {key}: no run has this key{meant}")


def _sortable(value: Any) -> tuple[bool, float, str]:
    return (False, float(value), "") if is_number(value) else (True, 0.0, str(value))
