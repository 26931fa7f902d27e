"""Cells over several tasks: normalised scores, and the probability of improvement averaged over tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lstmlab.study.statistics import improvement, named, stratified_iqm
from lstmlab.study.tuning import Chosen, losses, rival


def over_tasks(chosen: Sequence[Chosen], reference: str) -> tuple[list[dict[str, Any]], list[str]]:
    """One row per cell (and ``--by`` values) that has runs in every task, best first; and lines on what is left out.

    A *score* is 0 at the task's best trivial baseline and 1 at the best test value of all runs compared, so that
    tasks of any unit can be averaged. A run that failed scores 0: who has no model has the baseline. Tasks in which
    no run beats the baseline have no such scale, and give only the probability of improvement. Scores are given as
    their interquartile mean over all runs of all tasks, intervals by bootstrap with tasks as strata (Agarwal et al.
    2021). Empty where there are fewer than two tasks.
    """
    tasks: dict[str, list[Chosen]] = {}
    for entry in chosen:
        if entry.setting.ended:
            tasks.setdefault(entry.contender.task_label, []).append(entry)
    if len(tasks) < 2:
        return [], []
    found = {task: {e.contender.label: e for e in entries} for task, entries in tasks.items()}
    labels = list(dict.fromkeys(label for entries in found.values() for label in entries))
    complete = [label for label in labels if all(label in entries for entries in found.values())]
    if not complete:
        return [], ["over tasks: no table, because no cell has runs in every task"]
    scales = {task: scale for task, entries in tasks.items() if (scale := _scale(entries)) is not None}
    lines = [f"over tasks: no score for {task}, where no run beats a baseline" for task in tasks if task not in scales]
    missing = [label for label in labels if label not in complete]
    if missing:
        lines.append(f"over tasks: left out, for want of runs in every task: {', '.join(missing)}")
    rows = [_row(label, found, scales, reference) for label in complete]
    rows.sort(key=lambda row: -row["score"] if row["score"] is not None else 0.0)
    return rows, lines


def _row(
    label: str, found: dict[str, dict[str, Chosen]], scales: dict[str, tuple[float, float]], reference: str
) -> dict[str, Any]:
    own = [entries[label] for entries in found.values()]
    contender = own[0].contender
    strata = [_scores(entries[label], *scales[task]) for task, entries in found.items() if task in scales]
    score = stratified_iqm(strata) if strata else None
    rivals = [rival(e, list(found[e.contender.task_label].values()), reference) for e in own]
    theirs = [losses(e.setting.ended) for e in rivals if e is not None]
    better = improvement([losses(e.setting.ended) for e in own], theirs) if len(theirs) == len(own) else None
    return {
        "cell": contender.cell,
        "by": contender.by,
        "tasks": len(found),
        "tasks_scored": len(strata),
        **named(score, "score", "low", "high"),
        "runs": sum(len(e.setting.ended) for e in own),
        "failed": sum(len(e.setting.ended) - len(e.setting.finished) for e in own),
        **named(better, "improvement", "improvement_low", "improvement_high"),
    }


def _scale(entries: Sequence[Chosen]) -> tuple[float, float] | None:
    """The baseline and the best value of a task as losses; None where the baseline is missing or never beaten."""
    runs = [run for entry in entries for run in entry.setting.finished]
    baselines = runs[0].summary.get("baselines") if runs else None
    if not baselines:
        return None
    zero = min(-v if runs[0].goal == "max" else v for v in baselines.values())
    best = min(losses(runs))
    return (zero, best) if best < zero else None


def _scores(entry: Chosen, zero: float, best: float) -> list[float]:
    return [(zero - loss) / (zero - best) if loss < float("inf") else 0.0 for loss in losses(entry.setting.ended)]
