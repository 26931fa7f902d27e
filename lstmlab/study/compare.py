"""The comparison of runs: one row per task and cell, with intervals, and one per cell over all tasks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lstmlab.study.aggregate import OverTasks, over_tasks
from lstmlab.study.groups import entries_of, settings_of_one_cell
from lstmlab.study.mixtures import mixtures
from lstmlab.study.rows import row_of, setting_of
from lstmlab.study.runs import Run, read_runs
from lstmlab.study.sentences import sentences
from lstmlab.study.splits import with_one_split
from lstmlab.study.statistics import ESTIMATORS, statistic_for
from lstmlab.study.tuning import Chosen, choose_settings, losses, reference_of
from lstmlab.study.verdicts import judged, versus
from lstmlab.tracking.files import RunError

DEFAULT_REFERENCE = "lstm"


@dataclass(frozen=True)
class Comparison:
    """The result of a comparison. Rows are plain values by column."""

    rows: list[dict[str, Any]]
    """one per task and cell, best first within a task"""
    across: OverTasks
    """what several tasks say together"""
    settings: list[dict[str, Any]]
    """one per setting, chosen or not, with the values of its seeds"""
    left_out: list[dict[str, Any]]
    """runs without a result, by reason"""
    notes: list[str]
    """lines on what the rows leave out"""
    mixtures: list[str]
    """lines on what the runs do not have in common: code, data, budgets, splits"""
    verdicts: list[str]
    """lines in plain words: which cells are better, worse or not told apart"""
    reference: str
    """the cell that the others are compared with"""
    by: tuple[str, ...]
    chosen: list[Chosen]
    """the runs behind ``rows``, in the same order"""

    @property
    def over_tasks(self) -> list[dict[str, Any]]:
        """One row per cell, where there are several tasks."""
        return self.across.rows


def compare(
    directories: Sequence[str | Path],
    *,
    by: Sequence[str] = (),
    reference: str | None = None,
    settings_apart: bool = False,
) -> Comparison:
    """Compare the runs found below the directories (docs/statistics.md has the methods and how well they hold).

    Each cell is shown with the setting that is best on validation, among as many settings as every other cell of the
    task has tried. Its test values give the mean over seeds (the interquartile mean where all cells of the task have
    12 seeds) with a 95 % interval, the probability that one of its runs is better than a run of the cell
    ``reference`` (by default ``lstm``, or the cell of the first row where there is no ``lstm``), and a verdict.
    A task none of whose runs has test values is compared on validation, and its rows say so.
    Different values of the keys ``by``, and of the task's own keys, get rows of their own. ``settings_apart`` gives
    them to the settings of a cell that is the only one, where they are few and ``by`` names no key.

    Raises ``RunError`` when no run has finished, and for a reference or key that no run has.
    """
    runs, notes = with_one_split(read_runs(directories))
    left_out = _reasons([run for run in runs if not run.finished])
    if not any(run.finished for run in runs):
        reasons = "; ".join(f"{entry['reason']}: {entry['count']}" for entry in left_out)
        raise RunError(f"no finished run in {', '.join(map(str, directories))}{f' ({reasons})' if reasons else ''}")
    if settings_apart:
        by = by or settings_of_one_cell(runs)
    entries, replaced = entries_of(runs, by)
    if replaced:
        notes.append(
            f"{len(replaced)} {'run' if len(replaced) == 1 else 'runs'} replaced by a newer one of the same setting "
            f"and seed (first: {replaced[0].directory})"
        )
    chosen: dict[str, list[Chosen]] = {}
    statistics: dict[str, str] = {}
    for task in dict.fromkeys(entry.task_label for entry in entries):
        best, lines = choose_settings([entry for entry in entries if entry.task_label == task])
        statistics[task] = statistic_for([len(each.setting.finished) for each in best if each.setting.finished])
        chosen[task] = sorted(best, key=lambda each, name=statistics[task]: _order(each, name))
        notes += lines
    every = [each for of_task in chosen.values() for each in of_task]
    asked, reference = reference, _reference(reference, every)
    fixed = asked is not None or reference == DEFAULT_REFERENCE
    rows: list[dict[str, Any]] = []
    verdicts: list[str] = []
    for task, of_task in chosen.items():
        own = _rows(of_task, reference, statistics[task], fixed)
        rows += own
        verdicts += sentences(own)
    across = over_tasks(every, reference)
    if across.ranks:
        verdicts.append(across.ranks.line())
    settings = [setting_of(e, setting, statistics[e.task_label]) for e in entries for setting in e.settings]
    mixed = mixtures(every, by)
    return Comparison(
        rows, across, settings, left_out, notes + across.notes, mixed, verdicts, reference, tuple(by), every
    )


def _rows(of_task: Sequence[Chosen], reference: str, statistic: str, fixed: bool) -> list[dict[str, Any]]:
    """The rows of one task. ``fixed`` says that the reference was chosen without a look at the results."""
    references = [reference_of(each, of_task, reference) for each in of_task]
    if not any(references):
        # Rows of one cell alone, kept apart by a key, are compared with the best of them.
        fixed, references = False, [None, *[of_task[0]] * (len(of_task) - 1)]
    found = [
        None if r is None else versus(each.setting, r.setting) for each, r in zip(of_task, references, strict=True)
    ]
    # What is best is known only after a look at all pairs, so the correction is for all of them.
    pairs = len(of_task) * (len(of_task) - 1) // 2
    verdicts = judged(found, None if fixed else pairs)
    return [
        row_of(each, other, statistic, verdict)
        for each, other, verdict in zip(of_task, references, verdicts, strict=True)
    ]


def _order(chosen: Chosen, statistic: str) -> tuple[bool, float]:
    finished = chosen.setting.finished
    return not finished, ESTIMATORS[statistic](losses(finished)).value if finished else 0.0


def _reference(asked: str | None, chosen: Sequence[Chosen]) -> str:
    cells = list(dict.fromkeys(each.entry.cell for each in chosen))
    if asked is not None and asked not in cells:
        raise RunError(f"--reference {asked}: no run of this cell (cells here: {', '.join(cells)})")
    return asked or (DEFAULT_REFERENCE if DEFAULT_REFERENCE in cells else cells[0])


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
