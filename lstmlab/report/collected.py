"""What the sections of a report share: the comparison, one style per cell, and the curves of the runs shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from lstmlab.report.figures.style import Style, cell_styles
from lstmlab.study.compare import Comparison, compare
from lstmlab.study.curves import Table, logged, metric_of
from lstmlab.study.runs import FAILED, Run
from lstmlab.study.tuning import Chosen

LOSS = "train/loss"


@dataclass(frozen=True)
class Collected:
    """A comparison with what a report adds to it."""

    directories: Sequence[Path]
    comparison: Comparison

    @cached_property
    def styles(self) -> Mapping[str, Style]:
        """The style of every row's label, the same in all figures: the colour of its cell.

        The reference cell comes first, the others by name.
        """
        entries = {chosen.entry.label: chosen.entry for chosen in self.comparison.chosen}
        ordered = sorted(entries, key=lambda label: (entries[label].cell != self.comparison.reference, label))
        return cell_styles({label: entries[label].cell for label in ordered})

    @cached_property
    def tasks(self) -> Mapping[str, list[Chosen]]:
        """What is shown of each task that has a finished run, best first."""
        tasks: dict[str, list[Chosen]] = {}
        for chosen in self.comparison.chosen:
            if chosen.setting.finished:
                tasks.setdefault(chosen.entry.task_label, []).append(chosen)
        return tasks

    @cached_property
    def rows(self) -> Mapping[tuple[str, str], dict[str, Any]]:
        """The row of the comparison by labels of task and cell."""
        labels = [(chosen.entry.task_label, chosen.entry.label) for chosen in self.comparison.chosen]
        return dict(zip(labels, self.comparison.rows, strict=True))

    @cached_property
    def finished(self) -> list[Run]:
        """The finished runs of all settings that are shown."""
        return [run for chosen in self.comparison.chosen for run in chosen.setting.finished]

    @cached_property
    def logged(self) -> Mapping[Path, Mapping[str, Table]]:
        """The validation metric and the training loss of the runs shown, by directory; every file is read once."""
        found = {}
        for of_task in self.tasks.values():
            names = [f"validation/{metric_of(of_task)}", LOSS]
            for chosen in of_task:
                for run in (run for run in chosen.setting.runs if run.finished or run.status == FAILED):
                    found[run.directory] = logged(run, names)
        return found


def collect(directories: Sequence[Path], *, by: Sequence[str] = (), reference: str | None = None) -> Collected:
    """Compare the runs below the directories; raises as :func:`lstmlab.study.compare`.

    Where all runs are of one cell, its settings are what a reader wants compared: without ``by`` each has a row.
    """
    return Collected(directories, compare(directories, by=by, reference=reference, settings_apart=True))
