"""The progress of a run on the terminal, and the line that is printed when it has finished.

The bar, or the plain lines that replace it where there is no terminal, go to standard error. The line of a finished
run is a result and goes to standard output:

    lstm · char_lm · 2000 steps · 41 s · validation/bpc 2.41
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from lstmlab.printable import escaped
from lstmlab.terminal import say
from lstmlab.tracking.plain import INTERRUPTED, number
from lstmlab.tracking.sinks import Sink

if TYPE_CHECKING:
    from rich.progress import Progress as Bar


def duration(seconds: float) -> str:
    """A time span as text: ``0.4 s``, ``41 s``, ``3 min 20 s``, ``2 h 05 min``."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min"


class Progress(Sink):
    """A sink that shows the progress of one run, or of several runs together.

    Texts, images, videos and tables are not shown. Without a terminal, or in a notebook, a plain line is printed at
    most every ``interval`` seconds.

    Args:
        title: such as ``"lstm · char_lm"``.
        total: number of optimiser steps.
        metric: the metric in the final line, which also stands beside the bar.
        shown: further metrics beside the bar.
        start: the step from which a resumed run starts.
    """

    def __init__(
        self,
        title: str,
        total: int,
        *,
        metric: str | None = None,
        shown: Sequence[str] = ("train/loss",),
        start: int = 0,
        interval: float = 10.0,
        out: TextIO | None = None,
        err: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start the clock; the bar appears when the first step is reported."""
        self.title, self.total, self.metric = title, total, metric
        # The metric comes first: a narrow terminal cuts the others.
        self._shown = list(dict.fromkeys([*([metric] if metric else []), *shown]))
        self._out, self._err = out or sys.stdout, err or sys.stderr
        self._clock, self._interval = clock, interval
        self._started = self._last_line = clock()
        self._start = self._step = start
        self._paced_from: tuple[float, int] | None = None
        self._values: dict[str, float] = {}
        self._bar: Bar | None = None
        # Rich's own test takes any stream for a terminal if FORCE_COLOR is set, as CI services do.
        self._has_terminal = self._err.isatty() and os.environ.get("TERM", "") not in ("dumb", "unknown")

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Show these values and the step."""
        self._values.update(values)
        self.step(step)

    def step(self, step: int) -> None:
        """Show that ``step`` steps are done, without new values."""
        self._step = step
        if self._has_terminal:
            if self._bar is None:
                from lstmlab.tracking.bar import start_bar

                self._bar = start_bar(self.title, self.total, self._start, err=self._err, out=self._out)
            self._bar.update(self._bar.task_ids[0], completed=step, values=self._value_text())
            return
        now = self._clock()
        # The first steps come after compiling, which says nothing of the time that the others take.
        if self._paced_from is None and step > self._start:
            self._paced_from = now, step
        if now - self._last_line >= self._interval:
            pace = self._pace(now, step)
            self._last_line, self._paced_from = now, self._paced_from and (now, step)
            self._print(self._err, f"{step}/{self.total} steps", self._value_text(), *pace)

    def _pace(self, now: float, step: int) -> list[str]:
        """Steps per second since the last line and the time left at that; nothing where they cannot be told."""
        if self._paced_from is None:
            return []
        since, first = self._paced_from
        if now <= since or step <= first:
            return []
        speed = (step - first) / (now - since)
        return [f"{speed:.3g} steps/s", f"{duration((self.total - step) / speed)} left"]

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Remove the bar and print the line of the finished run.

        The metric comes from the summary, or else from the last values that were logged.
        """
        self.close()
        result = ""
        if self.metric and (value := {**self._values, **summary}.get(self.metric)) is not None:
            result = f"{self.metric} {number(self.metric, value):.4g}"
        streamed = "batches streamed" if summary.get("data_placement") == "stream" else ""
        self._print(self._out, f"{self._step} steps", self._elapsed(), streamed, result)

    def fail(self, message: str) -> None:
        """Remove the bar and print on standard error at which step the run ended, and why."""
        self.close()
        stopped = message == INTERRUPTED
        end = f"{'stopped' if stopped else 'failed'} at step {self._step}"
        self._print(self._err, end, self._elapsed(), "" if stopped else message)

    def _elapsed(self) -> str:
        return duration(self._clock() - self._started)

    def _value_text(self) -> str:
        known = [name for name in self._shown if name in self._values]
        return " · ".join(f"{name} {self._values[name]:.4g}" for name in known)

    def _print(self, stream: TextIO, *parts: str) -> None:
        say(escaped(" · ".join([self.title, *filter(None, parts)])), stream)

    def close(self) -> None:
        """Remove the bar without printing a line."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
