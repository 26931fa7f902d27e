"""What the configurations differ in, and what all share."""

from __future__ import annotations

import json
from typing import Any

from lstmlab.report.blocks import Folded, Section, Table
from lstmlab.report.collected import Collected
from lstmlab.study.groups import MISSING, differing
from lstmlab.study.runs import Run
from lstmlab.study.tuning import Chosen

_MOST_VALUES = 4


def configuration(collected: Collected) -> Section:
    """A table of the keys in which the settings shown differ, a column per row of the results; the others folded."""
    chosen = [each for each in collected.comparison.chosen if each.setting.finished]
    keys = differing(collected.finished)
    blocks: list[Any] = []
    if keys:
        columns = ["key", *(_name(each, collected) for each in chosen)]
        rows = [[key, *(_values(each.setting.finished, key) for each in chosen)] for key in keys]
        blocks.append(Table(columns, rows, "Keys in which the runs that are shown differ, beside their seeds."))
    shared = _shared(collected.finished)
    if shared:
        table = Table(["key", "value"], [[key, value] for key, value in shared.items()])
        blocks.append(Folded(f"What all {len(collected.finished)} runs share ({len(shared)} keys)", [table]))
    return Section("configuration", "Configurations", blocks)


def _name(chosen: Chosen, collected: Collected) -> str:
    return chosen.entry.label if len(collected.tasks) == 1 else f"{chosen.entry.task_label}, {chosen.entry.label}"


def _values(runs: list[Run], key: str) -> str:
    values = list(dict.fromkeys(_text(run.config.get(key, MISSING)) for run in runs))
    more = len(values) - _MOST_VALUES
    return ", ".join(values[:_MOST_VALUES]) + (f" and {more} more" if more > 0 else "")


def _shared(runs: list[Run]) -> dict[str, str]:
    first = runs[0].config
    return {
        key: _text(value)
        for key, value in sorted(first.items())
        if all(key in run.config and run.config[key] == value for run in runs)
    }


def _text(value: object) -> str:
    return json.dumps(value) if value is None or isinstance(value, bool) else str(value)
