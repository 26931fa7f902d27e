"""The interface of a sink, and a wrapper for sinks whose failures must not stop a run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8

from lstmlab.tracking.plain import one_line
from lstmlab.tracking.tables import Rows

_log = logging.getLogger("lstmlab.tracking")

Image = UInt8[np.ndarray, "height width"] | UInt8[np.ndarray, "height width 3"] | Path
"""grey or RGB pixels, or the path of a PNG"""
Frames = UInt8[np.ndarray, "time height width"] | UInt8[np.ndarray, "time height width 3"]
"""grey or RGB frames of a video"""


@runtime_checkable
class Sink(Protocol):
    """A destination of results. ``step`` counts finished optimiser steps.

    Arguments are passed by position. Nothing is called after ``finish`` or ``fail``. A class that derives from this
    one does nothing in the methods that it does not define.
    """

    def log(self, step: int, values: Mapping[str, float], /) -> None:
        """Take the metrics of one step."""

    def text(self, step: int, name: str, text: str, /) -> None:
        """Take a text, such as a generated sample."""

    def image(self, step: int, name: str, image: Image, /) -> None:
        """Take an image."""

    def video(self, step: int, name: str, frames: Frames, /) -> None:
        """Take the frames of a video."""

    def table(self, step: int, name: str, columns: Sequence[str], rows: Rows, /) -> None:
        """Take a table: rows with one cell per column."""

    def finish(self, summary: Mapping[str, Any], /) -> None:
        """The run has finished; ``summary`` may be nested."""

    def fail(self, message: str, /) -> None:
        """The run ended without a result; ``message`` is one line."""


class BestEffort:
    """Wraps a sink that a run can do without: at its first failure it is dropped, with a warning.

    ``name`` stands in the warning; ``make`` builds the sink and may fail as well. Only ``Exception`` is caught: Ctrl-C
    still stops the run.
    """

    def __init__(self, name: str, make: Callable[[], Sink]) -> None:
        """Build the sink by ``make()``; never raises."""
        self._name = name
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

    def image(self, step: int, name: str, image: Image) -> None:
        """Pass on, or warn and drop."""
        self._call("image", step, name, image)

    def video(self, step: int, name: str, frames: Frames) -> None:
        """Pass on, or warn and drop."""
        self._call("video", step, name, frames)

    def table(self, step: int, name: str, columns: Sequence[str], rows: Rows) -> None:
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
            self._name,
            one_line(error),
        )
