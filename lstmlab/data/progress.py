"""A rich progress bar of one download."""

from __future__ import annotations

from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)


class DownloadBar:
    """Shows one download on standard error, on a terminal only; disappears when it is done.

    Use it as a context manager, so that the terminal's cursor comes back when a transfer breaks off.
    """

    def __init__(self, description: str, console: Console | None = None) -> None:
        """Describe the download; draw on `console`, by default standard error."""
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
        """Stop drawing, whatever happened."""
        self.close()

    @property
    def total(self) -> float | None:
        """Size of the file [bytes]; None while, or where, the server does not say it."""
        return self._progress.tasks[0].total

    @total.setter
    def total(self, value: float | None) -> None:
        self._progress.update(self._task, total=value or None)

    @property
    def completed(self) -> float:
        """Bytes received so far."""
        return self._progress.tasks[0].completed

    def update(self, amount: int) -> None:
        """Add received bytes; never more than the total is shown."""
        done = self.completed + amount
        self._progress.update(self._task, completed=min(done, self.total or done))

    def close(self) -> None:
        """Stop drawing; may be called twice."""
        self._progress.stop()
