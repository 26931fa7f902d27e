"""What a sink is, and how one that may fail is kept from stopping a run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from lstmlab.tracking.plain import one_line

_log = logging.getLogger("lstmlab.tracking")

Picture = np.ndarray | Path
"""uint8 pixels ``height width`` (grey) or ``height width 3`` (RGB), or the path of a PNG."""


class Sink(Protocol):
    """A place where results go. ``step`` counts finished optimiser steps.

    Arguments reach a sink positionally. After ``finish`` or ``fail`` it is called no more.
    """

    def log(self, step: int, values: Mapping[str, float], /) -> None:
        """Take the metrics of one step."""

    def text(self, step: int, name: str, text: str, /) -> None:
        """Take a text, such as a generated sample."""

    def image(self, step: int, name: str, picture: Picture, /) -> None:
        """Take a picture."""

    def video(self, step: int, name: str, frames: np.ndarray, /) -> None:
        """Take uint8 frames ``time height width`` (grey) or ``time height width 3`` (RGB)."""

    def table(self, step: int, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], /) -> None:
        """Take a table: one sequence of cells per row, one cell per column."""

    def finish(self, summary: Mapping[str, Any], /) -> None:
        """The run is done; ``summary`` may be nested."""

    def fail(self, message: str, /) -> None:
        """The run ended without a result; ``message`` is one line."""


class BestEffort:
    """A sink that a run can do without: its first failure is one warning, then it is dropped.

    ``what`` names it in the warning; ``make`` builds it, and may fail as well. Only ``Exception``
    is caught: Ctrl-C still stops the run.
    """

    def __init__(self, what: str, make: Callable[[], Sink]) -> None:
        """Build the sink by ``make()``; never raises."""
        self._what = what
        self._sink: Sink | None = None
        try:
            self._sink = make()
        except Exception as error:
            self._drop(error)

    @property
    def alive(self) -> bool:
        """Whether the wrapped sink still takes results."""
        return self._sink is not None

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Pass on, or warn and drop."""
        self._call("log", step, values)

    def text(self, step: int, name: str, text: str) -> None:
        """Pass on, or warn and drop."""
        self._call("text", step, name, text)

    def image(self, step: int, name: str, picture: Picture) -> None:
        """Pass on, or warn and drop."""
        self._call("image", step, name, picture)

    def video(self, step: int, name: str, frames: np.ndarray) -> None:
        """Pass on, or warn and drop."""
        self._call("video", step, name, frames)

    def table(self, step: int, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Pass on, or warn and drop."""
        self._call("table", step, name, columns, rows)

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Pass on, or warn and drop."""
        self._call("finish", summary)

    def fail(self, message: str) -> None:
        """Pass on, or warn and drop."""
        self._call("fail", message)

    def _call(self, method: str, *arguments: Any) -> None:
        if self._sink is None:
            return
        try:
            getattr(self._sink, method)(*arguments)
        except Exception as error:
            self._drop(error)

    def _drop(self, error: Exception) -> None:
        self._sink = None
        _log.warning(
            "%s is left out from here on (%s); the run goes on and its files are complete",
            self._what,
            one_line(error),
        )
