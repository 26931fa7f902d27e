"""Which setting of a cell is shown: the best on validation, of as many settings as every other cell tried."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lstmlab.study.groups import Contender, Setting
from lstmlab.study.runs import FAILED, FINISHED, Run
from lstmlab.study.statistics import iqm


@dataclass(frozen=True)
class Chosen:
    """A contender with the setting that represents it, and how many settings it was chosen from."""

    contender: Contender
    setting: Setting
    tried: int
    compared: int


def choose(contenders: Sequence[Contender]) -> tuple[list[Chosen], list[str]]:
    """The chosen setting of every contender of *one* task, and lines on what this left out.

    Who tries more settings finds a better one by luck alone. So of every contender only the first settings count, as
    many as the contender with the fewest has tried. Of them the best on validation is chosen; test values play no
    part. A setting counts as tried once a run of it has ended.
    """
    tried = [[s for s in contender.settings if s.ended] for contender in contenders]
    budget = min((len(settings) for settings in tried if settings), default=0)
    made, lines = [], []
    for contender, settings in zip(contenders, tried, strict=True):
        allowed = settings[:budget] or contender.settings[:1]
        best = min(allowed, key=_rank)
        made.append(Chosen(contender, best, len(settings), min(len(settings), budget)))
        name = f"{contender.task_label}, {contender.label}"
        if len(settings) > budget:
            lines.append(
                f"equal tuning budget: {name} tried {len(settings)} settings, of which the first {budget} count, "
                "as many as the cell with the fewest"
            )
        if len(allowed) > 1 and math.isinf(_rank(best)[0]) and best.finished and math.isinf(_rank(best)[1]):
            lines.append(f"no validation values: of {name} the first setting is shown, not the best")
    return made, lines


def rival(entry: Chosen, entries: Sequence[Chosen], reference: str) -> Chosen | None:
    """Whom an entry is compared with: the reference cell on its task, at its ``--by`` values or in its only row."""
    own = entry.contender
    rows = [e for e in entries if e.contender.cell == reference and e.contender.task_label == own.task_label]
    same = [e for e in rows if e.contender.by == own.by]
    if own.cell == reference:
        return None
    return same[0] if same else rows[0] if len(rows) == 1 else None


def losses(runs: Sequence[Run], *, validation: bool = False) -> list[float]:
    """What the runs that ended lost, lower is better; infinite for a run that failed."""
    return [_loss(run, validation) for run in runs if run.status in (FINISHED, FAILED)]


def _loss(run: Run, validation: bool) -> float:
    if not run.finished:
        return math.inf
    value = run.validation if validation else run.value
    return math.inf if math.isnan(value) else -value if run.goal == "max" else value


def _rank(setting: Setting) -> tuple[float, float]:
    """Lower is better: the interquartile mean, where a failed seed counts as worse than any; then without them.

    So a setting that fails on more than a quarter of its seeds loses against every one that does not.
    """
    every = np.asarray(losses(setting.ended, validation=True))
    finite = every[np.isfinite(every)]
    return tuple(float(iqm(part)) if len(part) else math.inf for part in (every, finite))  # type: ignore[return-value]
