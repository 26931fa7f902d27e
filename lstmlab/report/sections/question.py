"""The question and its answer in words, and what to be careful about."""

from __future__ import annotations

from lstmlab.plots.comparison import better
from lstmlab.report.blocks import Lines, Section
from lstmlab.report.collected import Collected
from lstmlab.study.curves import metric_with_split
from lstmlab.study.tuning import Chosen


def question(collected: Collected) -> Section:
    """Which cells were compared on what, the verdicts, mixtures and notes of the comparison."""
    comparison = collected.comparison
    asked = [_asked(task, of_task) for task, of_task in collected.tasks.items()]
    blocks: list = [Lines(asked), Lines(comparison.verdicts, "verdict")]
    if comparison.mixtures:
        blocks.append(Lines(comparison.mixtures, "caution"))
    if comparison.notes:
        blocks.append(Lines(comparison.notes))
    return Section("question", "Question and verdict", [block for block in blocks if block.lines])


def _asked(task: str, of_task: list[Chosen]) -> str:
    labels = [chosen.entry.label for chosen in of_task]
    runs = [run for chosen in of_task for run in chosen.setting.finished]
    superlative = "highest" if runs[0].goal == "max" else "lowest"
    seeds = sorted({len(chosen.setting.finished) for chosen in of_task})
    span = f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
    count = f"{len(runs)} finished run{'s' * (len(runs) > 1)}, {span} seed{'s' * (seeds[-1] > 1)} each"
    metric = metric_with_split(of_task)
    if len(labels) == 1:
        return f"What does {labels[0]} reach on {task}, by {metric} ({better(runs[0].goal)})? ({count})"
    listed = f"{', '.join(labels[:-1])} or {labels[-1]}"
    return f"Which of {listed} has the {superlative} {metric} on {task}? ({count})"
