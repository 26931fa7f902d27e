"""Which setting of a cell is shown: the best on validation, among as many settings as every other cell tried."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lstmlab.study.groups import Entry, Setting
from lstmlab.study.runs import FAILED, FINISHED, ConfigValue, Run
from lstmlab.study.statistics import iqm


@dataclass(frozen=True)
class Chosen:
    """An entry with the setting that represents it, how many settings were tried, and among how many it was chosen."""

    entry: Entry
    setting: Setting
    tried: int
    compared: int

    @property
    def trials(self) -> int | None:
        """The trials of the search that chose the setting; None where no search did."""
        search = self.setting.runs[0].confirms
        return search.trials if search else None

    @property
    def values(self) -> dict[str, ConfigValue]:
        """The keys that were chosen, by a search or among the settings of the entry, and their values."""
        search = self.setting.runs[0].confirms
        return {**search.values, **self.setting.values} if search else self.setting.values


def choose_settings(entries: Sequence[Entry]) -> tuple[list[Chosen], list[str]]:
    """The chosen setting of every entry of *one* task, and lines about settings that were left out.

    An entry that tries more settings finds a better one by luck alone. So only the first settings of each entry count,
    as many as the entry with the fewest has tried. The best of them on validation is chosen, without a look at test
    values. A setting counts as tried once a run of it has ended.
    """
    tried = [[setting for setting in entry.settings if setting.ended] for entry in entries]
    budget = min((len(settings) for settings in tried if settings), default=0)
    chosen, lines = [], []
    for entry, settings in zip(entries, tried, strict=True):
        allowed = settings[:budget] or entry.settings[:1]
        best = min(allowed, key=_rank)
        chosen.append(Chosen(entry, best, len(settings), min(len(settings), budget)))
        name = f"{entry.task_label}, {entry.label}"
        if len(settings) > budget:
            lines.append(
                f"equal tuning budget: {name} tried {len(settings)} settings, of which the first {budget} count, "
                "as many as the cell with the fewest"
            )
        if len(allowed) > 1 and math.isinf(_rank(best)[0]) and best.finished and math.isinf(_rank(best)[1]):
            lines.append(f"no validation values: of {name} the first setting is shown, not the best")
    return chosen, lines


def reference_of(chosen: Chosen, others: Sequence[Chosen], reference: str) -> Chosen | None:
    """What an entry is compared with: the reference cell on its task, at its ``--by`` values or in its only row.

    None for the reference cell itself, and where there is no such row.
    """
    entry = chosen.entry
    if entry.cell == reference:
        return None
    rows = [o for o in others if o.entry.cell == reference and o.entry.task_label == entry.task_label]
    same = [o for o in rows if o.entry.by == entry.by]
    return same[0] if same else rows[0] if len(rows) == 1 else None


def losses(runs: Sequence[Run], *, validation: bool = False) -> list[float]:
    """Metrics on the runs' split (or on validation), with the sign that makes lower better.

    Those of the runs that ended; ∞ for failed ones.
    """
    return [_loss(run, validation) for run in runs if run.status in (FINISHED, FAILED)]


def _loss(run: Run, validation: bool) -> float:
    if not run.finished:
        return math.inf
    value = run.validation if validation else run.value
    return math.inf if math.isnan(value) else -value if run.goal == "max" else value


def _rank(setting: Setting) -> tuple[float, float]:
    """Lower is better: the interquartile mean over all seeds, failed ones as infinite; then over the others alone.

    So a setting that fails on more than a quarter of its seeds loses against every one that does not.
    """
    every = np.asarray(losses(setting.ended, validation=True))
    return _iqm_or_infinity(every), _iqm_or_infinity(every[np.isfinite(every)])


def _iqm_or_infinity(values: np.ndarray) -> float:
    return float(iqm(values)) if len(values) else math.inf
