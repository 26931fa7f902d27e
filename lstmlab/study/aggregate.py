"""Cells over several tasks: normalised scores, and the probability of improvement averaged over tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lstmlab.study.statistics import clearly_less, improvement, named, stratified_iqm
from lstmlab.study.tuning import Chosen, losses, reference_of


def over_tasks(chosen: Sequence[Chosen], reference: str) -> tuple[list[dict[str, Any]], list[str]]:
    """One row per cell (and ``--by`` values) that has runs in every task, best first; and lines on what is left out.

    A *score* is 0 at the task's best baseline and 1 at the best test value of all runs compared, so that
    tasks with different units can be averaged. A run that failed scores 0, as the baseline does. Tasks in which no run
    beats the baseline have no such scale and count for the probability of improvement alone. A row has the
    interquartile mean of the scores of all runs of all tasks; intervals are bootstrapped with tasks as strata (Agarwal
    et al. 2021). Empty where there are fewer than two tasks.
    """
    tasks: dict[str, list[Chosen]] = {}
    for each in chosen:
        if each.setting.ended:
            tasks.setdefault(each.entry.task_label, []).append(each)
    if len(tasks) < 2:
        return [], []
    by_label = {task: {each.entry.label: each for each in of_task} for task, of_task in tasks.items()}
    labels = list(dict.fromkeys(label for of_task in by_label.values() for label in of_task))
    complete = [label for label in labels if all(label in of_task for of_task in by_label.values())]
    if not complete:
        return [], ["over tasks: no table, because no cell has runs in every task"]
    scales = {task: scale for task, of_task in tasks.items() if (scale := _scale(of_task)) is not None}
    lines = [f"over tasks: no score for {task}, where no run beats a baseline" for task in tasks if task not in scales]
    missing = [label for label in labels if label not in complete]
    if missing:
        lines.append(f"over tasks: left out, because not every task has a run of them: {', '.join(missing)}")
    rows = [_row(label, by_label, scales, reference) for label in complete]
    rows.sort(key=lambda row: -row["score"] if row["score"] is not None else 0.0)
    return rows, lines


def _row(
    label: str, by_label: dict[str, dict[str, Chosen]], scales: dict[str, tuple[float, float]], reference: str
) -> dict[str, Any]:
    own = [of_task[label] for of_task in by_label.values()]
    strata = [_scores(of_task[label], *scales[task]) for task, of_task in by_label.items() if task in scales]
    score = stratified_iqm(strata) if strata else None
    references = [reference_of(each, list(of_task.values()), reference) for each, of_task in
                  zip(own, by_label.values(), strict=True)]  # fmt: skip
    theirs = [losses(each.setting.ended) for each in references if each is not None]
    better = improvement([losses(each.setting.ended) for each in own], theirs) if len(theirs) == len(own) else None
    return {
        "cell": own[0].entry.cell,
        "by": own[0].entry.by,
        "tasks": len(by_label),
        "tasks_scored": len(strata),
        **named(score, "score", "low", "high"),
        "runs": sum(len(each.setting.ended) for each in own),
        "failed": sum(len(each.setting.ended) - len(each.setting.finished) for each in own),
        **named(better, "improvement", "improvement_low", "improvement_high"),
    }


def _scale(of_task: Sequence[Chosen]) -> tuple[float, float] | None:
    """The baseline and the best value of a task as losses; None where the baseline is missing or never beaten."""
    runs = [run for chosen in of_task for run in chosen.setting.finished]
    baselines = runs[0].summary.get("baselines") if runs else None
    if not baselines:
        return None
    zero = min(-v if runs[0].goal == "max" else v for v in baselines.values())
    best = min(losses(runs))
    # A margin of rounding would blow the rounding of every other run up to whole scores.
    return (zero, best) if clearly_less(best, zero) else None


def _scores(chosen: Chosen, zero: float, best: float) -> list[float]:
    return [(zero - loss) / (zero - best) if loss < float("inf") else 0.0 for loss in losses(chosen.setting.ended)]
