"""The progress of several runs together: one bar, and a line for each run that has finished."""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Mapping
from typing import Any, TextIO

from lstmlab.printable import escaped
from lstmlab.terminal import say
from lstmlab.tracking.progress import Progress, duration


class SweepProgress:
    """Counts the steps of all runs; the bar, or the plain lines that replace it, go to standard error.

    Args:
        runs: their number.
        total: optimiser steps of all runs together.
        out: where the lines of finished runs are printed; None: standard output.
    """

    def __init__(self, runs: int, total: int, *, out: TextIO | None = None) -> None:
        """Start the clock."""
        self.runs, self.total, self._out = runs, total, out
        self.done = self.failed = self.steps = 0
        shown = ("runs done", "failed")
        self._progress = Progress(f"{runs} run" + "s" * (runs != 1), max(total, 1), shown=shown)

    def advance(self, steps: int) -> None:
        """Count ``steps`` more steps, of any run."""
        self.steps += steps
        values = {"runs done": float(self.done)} | ({"failed": float(self.failed)} if self.failed else {})
        self._progress.log(self.steps, values)

    def finished(self, title: str, summary: Mapping[str, Any]) -> None:
        """Count a finished run and print its line, which is a result, on standard output.

        ``summary`` is the one in the run's directory.
        """
        self.done += 1
        metric = summary["metric"]
        value = summary["validation"][metric]
        text = "–" if math.isnan(value) else f"{value:.4g}"
        took = duration(sum(summary["seconds"].values()))
        line = " · ".join([f"[{self.done + self.failed}/{self.runs}] {title}", f"{summary['steps']} steps", took])
        # A closed pipe must not stop the other runs.
        with contextlib.suppress(OSError):
            say(escaped(f"{line} · validation/{metric} {text}"), self._out or sys.stdout)

    def job_failed(self) -> None:
        """Count a failed run."""
        self.failed += 1

    def close(self) -> None:
        """Remove the bar."""
        self._progress.close()
