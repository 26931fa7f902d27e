"""The progress bar on a terminal. Imported when the first bar is drawn, because rich takes 0.1 s to import."""

from __future__ import annotations

from typing import TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Column
from rich.text import Text

from lstmlab.printable import escaped


class _Values(ProgressColumn):
    """The metrics, which are cut first on a narrow terminal, together with the bar."""

    def render(self, task: Task) -> Text:
        return Text(task.fields["values"], no_wrap=True, overflow="ellipsis")


class _Speed(ProgressColumn):
    """Steps per second over the last half minute, so that the time of compilation soon stops counting."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.3g}/s" if task.speed else "")


def start_bar(title: str, total: int, start: int, *, err: TextIO, out: TextIO) -> Progress:
    """Start a bar with one task on ``err``, a terminal; ``update(..., values=text)`` sets the text of the metrics.

    ``out`` is the stream on which results are printed meanwhile.
    """
    console = Console(file=err)
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        # None: as wide as there is room for. A narrow terminal has more use for the numbers.
        BarColumn(bar_width=None if console.width >= 100 else 8),
        MofNCompleteColumn(table_column=Column(no_wrap=True)),
        _Values(),
        _Speed(table_column=Column(no_wrap=True)),
        TimeRemainingColumn(compact=True, table_column=Column(no_wrap=True)),
        console=console,
        expand=True,
        transient=True,
        refresh_per_second=4,
        # Rich writes what is printed meanwhile above the bar, on the bar's stream. That is right on a terminal, but
        # results that go into a pipe must stay there.
        redirect_stdout=out.isatty(),
    )
    bar.add_task(escaped(title), total=total, completed=start, values="")
    bar.start()
    return bar
