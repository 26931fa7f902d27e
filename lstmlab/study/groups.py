"""Which runs belong together: seeds form a setting, settings an entry of the comparison, entries a task."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeGuard, TypeVar

from lstmlab.config import PLACE_KEYS
from lstmlab.study.runs import UNFINISHED, ConfigValue, Run
from lstmlab.tracking.files import RunError

_NOT_SETTINGS = ("seed", "name", "resume", "wandb", "tracking")
_OF_RESULTS = "training.test"  # which results a run has: runs that differ in it are never in one comparison
_OF_TASK = ("task.", "data.")  # the sections that say what is learned; data.* for a file of the user
MISSING = "–"
MOST_SETTINGS = 8
"""of one cell that get rows of their own by themselves; more are a search"""

_K = TypeVar("_K", bound=Hashable)


@dataclass(frozen=True)
class Setting:
    """Runs that differ in their seed alone; ``values`` are the keys in which the settings of one entry differ."""

    values: dict[str, ConfigValue]
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
class Entry:
    """What gets one row: a cell on a task, at the values of the ``--by`` keys; its settings in order of directory."""

    task: str
    task_settings: dict[str, ConfigValue]
    cell: str
    by: dict[str, ConfigValue]
    settings: list[Setting]

    @property
    def task_label(self) -> str:
        """The task with its settings, such as ``adding length=200``."""
        return with_values(self.task, self.task_settings)

    @property
    def label(self) -> str:
        """The cell with the values of the ``--by`` keys, such as ``gru model.hidden_size=64``."""
        return with_values(self.cell, self.by)


def entries_of(runs: Sequence[Run], by: Sequence[str] = ()) -> tuple[list[Entry], list[Run]]:
    """The entries in order of task and of appearance, and the runs that another run of their seed replaces.

    Runs that differ in a key of their task, or in one of the keys ``by``, belong to different entries. Raises
    ``RunError`` where no run has such a key.
    """
    for key in by:
        _check_key(key, runs)
    by_task = _group(runs, lambda run: run.task)
    task_keys = {task: [k for k in differing(same) if k.startswith(_OF_TASK)] for task, same in by_task.items()}
    other_keys = [key for key in by if not key.startswith(_OF_TASK)]
    groups = _group(runs, lambda run: (run.task, _values(run, task_keys[run.task]), run.cell, _values(run, other_keys)))
    entries, replaced = [], []
    for (task, task_values, cell, by_values), same in groups.items():
        settings, older = _settings(same)
        task_settings = dict(zip(task_keys[task], task_values, strict=True))
        entries.append(Entry(task, task_settings, cell, dict(zip(other_keys, by_values, strict=True)), settings))
        replaced += older
    order = {name: i for i, name in enumerate(sorted(by_task))}
    entries.sort(key=lambda entry: (order[entry.task], [_sortable(v) for v in entry.task_settings.values()]))
    return entries, replaced


def settings_of_one_cell(runs: Sequence[Run]) -> list[str]:
    """The keys that tell the settings of the only cell apart; none where there are several cells, one setting, trials
    of a search, or as many settings as only a search has."""
    if len({run.cell for run in runs}) > 1 or any(run.confirms or run.config.get(_OF_RESULTS) is False for run in runs):
        return []
    keys = [key for key in differing(runs) if not key.startswith(_OF_TASK)]
    return keys if 1 < len({_values(run, keys) for run in runs}) <= MOST_SETTINGS else []


def with_values(name: str, values: Mapping[str, ConfigValue]) -> str:
    """``name key=value …``, without the prefix of the task's own keys."""
    return " ".join([name, *(f"{key.removeprefix('task.')}={value}" for key, value in values.items())])


def differing(runs: Sequence[Run]) -> list[str]:
    """The configuration keys in which runs differ, sorted, without names, paths and the seed.

    Runs that lack a key, such as those of an older version, do not count for it.
    """
    seen: dict[str, set[tuple[bool, ConfigValue]]] = {}
    for run in runs:
        for key, value in run.config.items():
            seen.setdefault(key, set()).add((type(value) is bool, value))
    return sorted(k for k, v in seen.items() if len(v) > 1 and _is_setting(k))


def _is_setting(key: str) -> bool:
    return key.split(".")[0] not in _NOT_SETTINGS and key not in (*PLACE_KEYS, _OF_RESULTS)


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a configuration value is a number; a boolean is not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _settings(runs: Sequence[Run]) -> tuple[list[Setting], list[Run]]:
    keys = differing(runs)
    settings, replaced = [], []
    for values, same in _group(runs, lambda run: _values(run, keys)).items():
        newest: dict[ConfigValue, Run] = {}
        for run in same:
            before = newest.get(run.seed)
            if before is None:
                newest[run.seed] = run
                continue
            newest[run.seed], older = (before, run) if _precedence(before) > _precedence(run) else (run, before)
            replaced.append(older)
        settings.append(Setting(dict(zip(keys, values, strict=True)), list(newest.values())))
    return settings, replaced


def _values(run: Run, keys: Iterable[str]) -> tuple[ConfigValue, ...]:
    return tuple(run.config.get(key, MISSING) for key in keys)


def _precedence(run: Run) -> tuple[bool, float]:
    """The newest run of a seed counts; but a run that has not ended does not replace one that has."""
    return run.status != UNFINISHED, run.written


def _group(runs: Iterable[Run], key: Callable[[Run], _K]) -> dict[_K, list[Run]]:
    groups: dict[_K, list[Run]] = {}
    for run in runs:
        groups.setdefault(key(run), []).append(run)
    return groups


def _check_key(key: str, runs: Sequence[Run]) -> None:
    known = sorted({k for run in runs for k in run.config})
    if not _is_setting(key) or key in ("cell.name", "task.name"):
        raise RunError(f"--by {key}: rows are always kept apart by task and cell, and never by seed, name or place")
    if key not in known:
        near = difflib.get_close_matches(key, known, 1)
        meant = f"; did you mean '{near[0]}'?" if near else ""
        raise RunError(f"--by {key}: no run has this key{meant}")


def _sortable(value: ConfigValue) -> tuple[bool, float, str]:
    return (False, float(value), "") if is_number(value) else (True, 0.0, str(value))
