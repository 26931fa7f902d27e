"""A progress bar for one download, drawn by rich."""

from __future__ import annotations

from typing import Self

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn


class DownloadBar:
    """Show one download on standard error, only on a terminal; the bar disappears when the download is done.

    Use it as a context manager: the terminal's cursor then comes back even if the download fails.

    Args:
        description: text beside the bar.
        console: where to draw; by default standard error.
    """

    def __init__(self, description: str, console: Console | None = None) -> None:
        console = console or Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task(description, total=None)

    def __enter__(self) -> Self:
        """Start drawing."""
        self._progress.start()
        return self

    def __exit__(self, *exception: object) -> None:
        """Stop drawing."""
        self._progress.stop()

    @property
    def total(self) -> float | None:
        """Size of the file [bytes]; None if it is not known."""
        return self._progress.tasks[0].total

    @total.setter
    def total(self, value: float | None) -> None:
        self._progress.update(self._task, total=value or None)

    @property
    def completed(self) -> float:
        """Bytes received so far."""
        return self._progress.tasks[0].completed

    def update(self, amount: int) -> None:
        """Add received bytes; the bar never shows more than the total."""
        done = self.completed + amount
        self._progress.update(self._task, completed=min(done, self.total or done))
