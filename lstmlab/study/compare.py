"""The comparison of runs: one row per task and cell, with intervals, and one per cell over all tasks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lstmlab.study.aggregate import over_tasks
from lstmlab.study.groups import Entry, Setting, entries_of
from lstmlab.study.runs import FAILED, UNFINISHED, Run, read_runs
from lstmlab.study.statistics import clearly_less, improvement, iqm_interval, named
from lstmlab.study.tuning import Chosen, choose_settings, losses, reference_of
from lstmlab.tracking.files import RunError

DEFAULT_REFERENCE = "lstm"


@dataclass(frozen=True)
class Comparison:
    """The result of a comparison. Rows are plain values by column."""

    rows: list[dict[str, Any]]
    """one per task and cell, best first within a task"""
    over_tasks: list[dict[str, Any]]
    """one per cell, where there are several tasks"""
    settings: list[dict[str, Any]]
    """one per setting, chosen or not, with the values of its seeds"""
    left_out: list[dict[str, Any]]
    """runs without a result, by reason"""
    notes: list[str]
    """lines on what the rows leave out"""
    reference: str
    """the cell that the others are compared with"""
    by: tuple[str, ...]
    chosen: list[Chosen]
    """the runs behind ``rows``, in the same order"""


def compare(directories: Sequence[str | Path], *, by: Sequence[str] = (), reference: str | None = None) -> Comparison:
    """Compare the runs found below the directories, after Agarwal et al. 2021 (:mod:`lstmlab.study.statistics`).

    Each cell is shown with the setting that is best on validation, among as many settings as every other cell of the
    task has tried. Its test values give the interquartile mean over seeds with a 95 % interval, and the probability
    that one of its runs is better than a run of the cell ``reference`` (by default ``lstm``, or the cell of the first
    row where there is no ``lstm``). Different values of the keys ``by``, and of the task's own keys, get rows of
    their own.

    Raises ``RunError`` when no run has finished, and for a reference or key that no run has.
    """
    runs = read_runs(directories)
    left_out = _reasons([run for run in runs if not run.finished])
    if not any(run.finished for run in runs):
        reasons = "; ".join(f"{entry['reason']}: {entry['count']}" for entry in left_out)
        raise RunError(f"no finished run in {', '.join(map(str, directories))}{f' ({reasons})' if reasons else ''}")
    entries, replaced = entries_of(runs, by)
    notes = []
    if replaced:
        notes.append(
            f"{len(replaced)} {'run' if len(replaced) == 1 else 'runs'} replaced by a newer one of the same setting "
            f"and seed (first: {replaced[0].directory})"
        )
    chosen: list[Chosen] = []
    for task in dict.fromkeys(entry.task_label for entry in entries):
        best, lines = choose_settings([entry for entry in entries if entry.task_label == task])
        chosen += sorted(best, key=_order)
        notes += lines
    reference = _reference(reference, chosen)
    rows = [_row(each, reference_of(each, chosen, reference)) for each in chosen]
    aggregate, lines = over_tasks(chosen, reference)
    settings = [_setting(entry, setting) for entry in entries for setting in entry.settings]
    return Comparison(rows, aggregate, settings, left_out, notes + lines, reference, tuple(by), chosen)


def _order(chosen: Chosen) -> tuple[bool, float]:
    finished = chosen.setting.finished
    return not finished, iqm_interval(losses(finished)).value if finished else 0.0


def _reference(asked: str | None, chosen: Sequence[Chosen]) -> str:
    cells = list(dict.fromkeys(each.entry.cell for each in chosen))
    if asked is not None and asked not in cells:
        raise RunError(f"--reference {asked}: no run of this cell (cells here: {', '.join(cells)})")
    return asked or (DEFAULT_REFERENCE if DEFAULT_REFERENCE in cells else cells[0])


def _row(chosen: Chosen, reference: Chosen | None) -> dict[str, Any]:
    entry, setting = chosen.entry, chosen.setting
    runs, ended = setting.finished, setting.ended
    first = runs[0].summary if runs else {}
    value = iqm_interval([run.value for run in runs]) if runs else None
    solved = [run.summary["solved"] for run in runs if run.summary.get("solved")]
    has_threshold = any(run.summary.get("solved") is not None for run in runs)
    baseline, name = best_baseline(runs)
    better = None
    if reference is not None and ended and reference.setting.ended:
        better = improvement([losses(ended)], [losses(reference.setting.ended)])
    return {
        "task": entry.task,
        "task_settings": entry.task_settings,
        "cell": entry.cell,
        "by": entry.by,
        "parameters": first.get("parameters"),
        "hidden_size": first.get("hidden_size", runs[0].config.get("model.hidden_size")) if runs else None,
        "state_size": first.get("state_size"),
        "metric": first.get("metric"),
        "goal": runs[0].goal if runs else None,
        **named(value, "iqm", "low", "high"),
        "seeds": len(runs),
        "failed": sum(run.status == FAILED for run in setting.runs),
        "unfinished": sum(run.status == UNFINISHED for run in setting.runs),
        "baseline": baseline,
        "baseline_name": name,
        "learned": sum(_beats(run, baseline) for run in runs) if baseline is not None else None,
        "solved": len(solved) if has_threshold else None,
        "steps_to_solved": _median([s.get("step") for s in solved]),
        "seconds_to_solved": _median([s.get("seconds") for s in solved]),
        "steps_per_second": _median([run.summary.get("steps_per_second") for run in runs]),
        **named(better, "improvement", "improvement_low", "improvement_high"),
        "settings_tried": chosen.tried,
        "settings_compared": chosen.compared,
        "setting": setting.values,
        "values": _values(runs),
    }


def _setting(entry: Entry, setting: Setting) -> dict[str, Any]:
    runs = setting.finished
    validation = [run.validation for run in runs if np.isfinite(run.validation)]
    return {
        "task": entry.task,
        "task_settings": entry.task_settings,
        "cell": entry.cell,
        "by": entry.by,
        "setting": setting.values,
        **named(iqm_interval([run.value for run in runs]) if runs else None, "iqm", "low", "high"),
        "validation_iqm": iqm_interval(validation).value if validation else None,
        "seeds": len(runs),
        "failed": sum(run.status == FAILED for run in setting.runs),
        "unfinished": sum(run.status == UNFINISHED for run in setting.runs),
        "values": _values(runs),
    }


def _values(runs: Sequence[Run]) -> list[dict[str, Any]]:
    return [
        {"seed": run.seed, "value": run.value, "validation": run.validation, "directory": str(run.directory)}
        for run in runs
    ]


def best_baseline(runs: Sequence[Run]) -> tuple[float | None, str | None]:
    """The best baseline of the first run's task, and its name; None twice where there is none."""
    baselines = runs[0].summary.get("baselines") if runs else None
    if not baselines:
        return None, None
    name = (min if runs[0].goal == "min" else max)(baselines, key=baselines.__getitem__)
    return float(baselines[name]), name


def _beats(run: Run, baseline: float) -> bool:
    return clearly_less(run.value, baseline) if run.goal == "min" else clearly_less(baseline, run.value)


def _median(values: Sequence[float | None]) -> float | None:
    numbers = [value for value in values if value is not None]
    return float(np.median(numbers)) if numbers else None


def _reasons(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Runs without a result by reason; reasons that differ in numbers or in the advice at their end are one."""
    classes: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        kind = re.sub(r"\d[\d.e+-]*", "…", _clause(run.reason))
        classes.setdefault((run.status, kind), []).append(run)
    return [
        {
            "status": status,
            "reason": _clause(same[0].reason) if len(same) == 1 else kind,
            "count": len(same),
            "directories": [str(run.directory) for run in same],
        }
        for (status, kind), same in classes.items()
    ]


def _clause(reason: str) -> str:
    """The reason without what follows it: ``RunFailed: reason: advice``, ``ValueError: reason: details``."""
    match = re.match(r"(\w+: )?[^:]*", reason.removeprefix("RunFailed: "))
    return match[0] if match else reason
