"""Runs with test values and runs that were validated alone, which one comparison never mixes."""

from __future__ import annotations

from collections.abc import Sequence

from lstmlab.study.runs import TEST, UNFINISHED, VALIDATION, Run


def with_one_split(runs: Sequence[Run]) -> tuple[list[Run], list[str]]:
    """The runs that can be compared, in order, and a line per task on those that are left out.

    Where runs of a task have ended with test values (or failed on the way to them), those with
    ``training.test=false``, such as the trials of a search, are left out; else those whose test values are missing.
    """
    splits = {task: _split([run for run in runs if run.task == task]) for task in {run.task for run in runs}}
    lines = []
    for task, split in sorted(splits.items()):
        others = [run for run in runs if run.task == task and run.split != split]
        if others:
            lines.append(f"{task}: {_left_out(others)} (first: {others[0].directory})")
    return [run for run in runs if run.split == splits[run.task]], lines


def _split(runs: Sequence[Run]) -> str:
    tested = any(run.split == TEST and run.status != UNFINISHED for run in runs)
    return TEST if tested or all(run.split == TEST for run in runs) else VALIDATION


def _left_out(runs: Sequence[Run]) -> str:
    several = "1 run is" if len(runs) == 1 else f"{len(runs)} runs are"
    if runs[0].split == VALIDATION:
        return f"{several} left out that never saw the test split (training.test=false), such as the trials of a search"
    return f"{several} left out that would have test values, but have not ended"
