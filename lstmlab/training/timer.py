"""How long a run trains, compiles and evaluates."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

Activity = Literal["train", "compile", "evaluate"]
Seconds = dict[Activity, float]


class Timer:
    """Seconds by activity since the last :meth:`lap`."""

    def __init__(self) -> None:
        self._seconds = no_seconds()

    @contextmanager
    def __call__(self, activity: Activity) -> Iterator[None]:
        """Count the time that the block takes."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[activity] += time.perf_counter() - started

    def lap(self) -> Seconds:
        """The seconds so far; counting starts anew."""
        seconds, self._seconds = self._seconds, no_seconds()
        return seconds


def no_seconds() -> Seconds:
    """Zero for every activity."""
    return {"train": 0.0, "compile": 0.0, "evaluate": 0.0}
