"""From what is chosen on the page to the runs that are shown, their groups and the metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lstmlab.dashboard.choose import WrongFilter, chosen, conditions, grouped, text_of, varied_keys
from lstmlab.dashboard.run import Run
from lstmlab.dashboard.watch import Snapshot

_MOST_VALUES = 50
"""values of one key that are offered in the list; for more there is the filter by text"""
_TRAIN_LOSS = "train/loss"


@dataclass(frozen=True)
class Choice:
    """What is chosen on the page."""

    states: Sequence[str]
    values: Sequence[str]
    where: str
    group: Sequence[str]
    picked: Sequence[str]


@dataclass(frozen=True)
class Shown:
    """What follows from it."""

    runs: list[Run]
    groups: dict[str, list[Run]]
    """of the runs, or, where runs are picked, each of these alone"""
    wrong: str
    """what is wrong with the filter; empty if nothing is"""


def select(snapshot: Snapshot, choice: Choice) -> Shown:
    """The runs that pass the filter; all runs where it cannot be read, which ``wrong`` says."""
    everything, wrong = snapshot.runs, ""
    keys = {key for run in everything for key in run.config}
    try:
        wanted = conditions(choice.where or "", keys)
    except WrongFilter as error:
        wanted, wrong = [], str(error)
    runs = chosen(everything, wanted, choice.states or [], choice.values or [])
    picked = [run for run in everything if run.id in set(choice.picked)]
    if picked:
        return Shown(runs, {run.name: [run] for run in picked}, wrong)
    return Shown(runs, grouped(runs, choice.group or default_group(everything)), wrong)


def default_group(runs: Sequence[Run]) -> list[str]:
    """Task and cell, where they differ; the cell where nothing does."""
    keys = [key for key in varied_keys(runs) if key in ("task.name", "cell.name")]
    return keys or ["cell.name"]


def value_options(runs: Sequence[Run]) -> list[str]:
    """All ``key=value`` of the keys in which the runs differ, but of keys with very many values."""
    options: list[str] = []
    for key in varied_keys(runs):
        values = {text_of(run.config[key]): run.config[key] for run in runs if key in run.config}
        if len(values) <= _MOST_VALUES:
            options += [f"{key}={text}" for text, _ in sorted(values.items(), key=_by_value)]
    return options


def _by_value(item: tuple[str, object]) -> tuple[int, float, str]:
    text, value = item
    if isinstance(value, (int, float)):
        return (0, float(value), "")
    return (1, 0.0, text)


def metric_options(runs: Sequence[Run]) -> list[str]:
    """All metrics that any run has logged, those of validation first."""
    names = dict.fromkeys(name for run in runs for name in run.last)
    return sorted(names, key=lambda name: (not name.startswith("validation/"), not name.startswith("train/"), name))


def main_metric(runs: Sequence[Run]) -> str:
    """The metric on validation in which runs are compared: as finished runs say, else the first one that is logged."""
    for run in runs:
        name = f"validation/{run.summary.get('metric')}"
        if name in run.last:
            return name
    return next((name for run in runs for name in run.last if name.startswith("validation/")), _TRAIN_LOSS)


def shown_metrics(runs: Sequence[Run], wanted: Sequence[str] | None) -> list[str]:
    """The chosen metrics, or the main one and the training loss."""
    known = metric_options(runs)
    if wanted:
        return [name for name in wanted if name in known]
    return [name for name in dict.fromkeys([main_metric(runs), _TRAIN_LOSS]) if name in known]
