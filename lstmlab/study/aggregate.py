"""Cells over several tasks: normalised scores, average ranks, and the probability of improvement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lstmlab.study.ranks import Ranks, rank_cells
from lstmlab.study.statistics import clearly_less, improvement, mean_over_tasks, named
from lstmlab.study.tuning import Chosen, losses, reference_of

FAILED_SCORE = -1.0


@dataclass(frozen=True)
class OverTasks:
    """What several tasks say together; empty where there are fewer than two."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    """one per cell (and ``--by`` values) that has runs in every task, best first"""
    notes: list[str] = field(default_factory=list)
    """lines on what is left out"""
    ranks: Ranks | None = None
    """average ranks of the cells of ``rows``, from two cells"""
    scores: dict[str, list[list[float]]] = field(default_factory=dict)
    """scores of every cell ``[tasks][runs]``"""


def over_tasks(chosen: Sequence[Chosen], reference: str) -> OverTasks:
    """The cells that have runs in every task, compared over all tasks.

    A *score* is 0 at the task's best baseline and 1 at the ``reference_value`` of the task (without one at the
    perfect value: a loss of 0, a share of 1), so that tasks with different units can be averaged, and a cell's score
    does not depend on the others that are compared. Below the baseline it falls towards −1, the score of a run that
    failed: a difference of d baselines is −d / (1 + d). A row has the mean over tasks of the means over seeds.
    """
    tasks: dict[str, list[Chosen]] = {}
    for each in chosen:
        if each.setting.ended:
            tasks.setdefault(each.entry.task_label, []).append(each)
    if len(tasks) < 2:
        return OverTasks()
    by_label = {task: {each.entry.label: each for each in of_task} for task, of_task in tasks.items()}
    labels = list(dict.fromkeys(label for of_task in by_label.values() for label in of_task))
    complete = [label for label in labels if all(label in of_task for of_task in by_label.values())]
    if not complete:
        return OverTasks(notes=["over tasks: no table, because no cell has runs in every task"])
    scales = {task: scale for task, of_task in tasks.items() if (scale := _scale(of_task)) is not None}
    lines = [
        f"over tasks: no score for {task}, whose runs record no baseline that can be improved"
        for task in tasks if task not in scales
    ]  # fmt: skip
    missing = [label for label in labels if label not in complete]
    if missing:
        lines.append(f"over tasks: left out, because not every task has a run of them: {', '.join(missing)}")
    scores = {
        label: [_scores(of_task[label], *scales[task]) for task, of_task in by_label.items() if task in scales]
        for label in complete
    }
    runs = [{label: losses(of_task[label].setting.ended) for label in complete} for of_task in by_label.values()]
    ranks = rank_cells(runs) if len(complete) > 1 else None
    rows = [
        _row(label, by_label, scores[label], reference) | {"rank": ranks.average[label] if ranks else None}
        for label in complete
    ]
    rows.sort(key=lambda row: (-row["score"] if row["score"] is not None else 0.0, row["rank"] or 0.0))
    return OverTasks(rows, lines, ranks, scores)


def _row(
    label: str, by_label: dict[str, dict[str, Chosen]], strata: Sequence[Sequence[float]], reference: str
) -> dict[str, Any]:
    own = [of_task[label] for of_task in by_label.values()]
    score = mean_over_tasks(strata) if strata else None
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
    """The losses that score 0 and 1; None where the task has no baseline, or one that is perfect."""
    runs = [run for chosen in of_task for run in chosen.setting.finished]
    baselines = runs[0].summary.get("baselines") if runs else None
    if not baselines:
        return None
    sign = -1 if runs[0].goal == "max" else 1
    zero = min(sign * value for value in baselines.values())
    reference = runs[0].summary.get("reference_value")
    one = sign * float(reference) if reference is not None else min(sign, 0)
    return (zero, one) if clearly_less(one, zero) else None


def _scores(chosen: Chosen, zero: float, one: float) -> list[float]:
    return [_score(loss, zero, one) for loss in losses(chosen.setting.ended)]


def _score(loss: float, zero: float, one: float) -> float:
    if loss == float("inf"):
        return FAILED_SCORE
    score = (zero - loss) / (zero - one)
    return score if score >= 0 else score / (1 - score)
