"""Which runs are shown, in which groups and order: functions of plain runs."""

from __future__ import annotations

import math
import operator
import re
import shlex
from collections.abc import Callable, Iterable, Sequence

from lstmlab.dashboard.config_file import Value
from lstmlab.dashboard.run import Run

_NOT_COMPARED = ("name", "resume", "wandb.")
_FIRST, _LAST = ("task.name", "cell.name"), ("seed",)
_CONDITION = re.compile(r"([\w.]+)(<=|>=|!=|=|<|>)(.*)")
_ORDER: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip

Condition = Callable[[Run], bool]


class WrongFilter(Exception):
    """A filter that cannot be read; the message is one line that says what would be right."""


def varied_keys(runs: Iterable[Run]) -> list[str]:
    """The configuration keys in which the runs differ: task and cell first, the seed last.

    A key that is not known of a run, as of one that has not begun, is no difference.
    """
    first: dict[str, Value] = {}
    varied: set[str] = set()
    for run in runs:
        for key, value in run.config.items():
            if key not in varied and first.setdefault(key, value) != value:
                varied.add(key)
    keys = sorted(key for key in varied if not key.startswith(_NOT_COMPARED))
    middle = [key for key in keys if key not in (*_FIRST, *_LAST)]
    return [*(key for key in _FIRST if key in keys), *middle, *(key for key in _LAST if key in keys)]


def text_of(value: Value) -> str:
    """A value as it is written on the command line."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def short(key: str) -> str:
    """A key without its section: ``cell`` for ``cell.name``, ``learning_rate`` for ``optimizer.learning_rate``."""
    return key.removesuffix(".name") if key.endswith(".name") else key.rpartition(".")[2]


def conditions(text: str, keys: Iterable[str]) -> list[Condition]:
    """What a filter such as ``cell=lstm,gru learning_rate<0.01 sweep7`` asks of a run; all must hold.

    A key may be given by its last part. A word without an operator must be in the run's name. Raises ``WrongFilter``.
    """
    try:
        words = shlex.split(text)
    except ValueError:
        raise WrongFilter("a quotation mark is not closed") from None
    known = list(keys)
    return [_condition(word, known) for word in words]


def _condition(word: str, known: Sequence[str]) -> Condition:
    found = _CONDITION.fullmatch(word)
    if found is None:
        return lambda run: word.lower() in run.name.lower()
    key, sign, value = _key(found[1], known), found[2], found[3]
    if sign in _ORDER:
        try:
            limit = float(value)
        except ValueError:
            raise WrongFilter(f"{found[1]}{sign} needs a number, not '{value}'") from None
        return lambda run: _ordered(run.config.get(key), _ORDER[sign], limit)
    wanted = set(value.split(","))
    if key == "state":
        return lambda run: (run.state in wanted) == (sign == "=")
    return lambda run: (text_of(run.config.get(key)) in wanted) == (sign == "=")


def _ordered(value: Value, compare: Callable[[float, float], bool], limit: float) -> bool:
    return isinstance(value, (int, float)) and not math.isnan(value) and compare(value, limit)


def _key(name: str, known: Sequence[str]) -> str:
    if name in known or name == "state":
        return name
    fitting = sorted({key for key in known if short(key) == name})
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise WrongFilter(f"'{name}' may be {' or '.join(fitting)}: write one of them")
    raise WrongFilter(f"no run has the key '{name}'")


def chosen(runs: Iterable[Run], wanted: Sequence[Condition], states: Sequence[str], values: Sequence[str]) -> list[Run]:
    """The runs for which all conditions hold, in one of the states, and with one of the ``values`` of every key.

    ``values`` are texts such as ``cell.name=gru``; those of one key are alternatives. Empty lists ask for nothing.
    """
    by_key: dict[str, set[str]] = {}
    for text in values:
        key, _, value = text.partition("=")
        by_key.setdefault(key, set()).add(value)
    return [
        run
        for run in runs
        if (not states or run.state in states)
        and all(text_of(run.config.get(key)) in allowed for key, allowed in by_key.items())
        and all(condition(run) for condition in wanted)
    ]


def grouped(runs: Iterable[Run], keys: Sequence[str]) -> dict[str, list[Run]]:
    """The runs by their values of the keys, such as ``gru`` or ``gru · learning_rate=0.01``, in natural order."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        parts = [
            text_of(run.config.get(key)) if key.endswith(".name") else f"{short(key)}={text_of(run.config.get(key))}"
            for key in keys
        ]
        groups.setdefault(" · ".join(parts) or "all runs", []).append(run)
    return dict(sorted(groups.items(), key=lambda item: natural(item[0])))


def natural(text: str) -> list[tuple[int, float, str]]:
    """A sorting key by which 2 comes before 10."""
    return [(0, float(part), "") if part.isdecimal() else (1, 0.0, part) for part in re.split(r"(\d+)", text) if part]
