"""How many runs show themselves together: one bar, and a line for each that has ended."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from typing import Any, TextIO

from lstmlab.tracking.progress import Progress, duration


class SweepProgress:
    """Counts the optimiser steps of all runs; the bar or the plain lines go to standard error.

    ``total`` is the number of steps of all runs, ``runs`` their number.
    """

    def __init__(self, runs: int, total: int, *, out: TextIO | None = None) -> None:
        """Start the clock."""
        self.runs, self.total, self._out = runs, total, out
        self.done = self.failed = self.steps = 0
        shown = ("runs done", "failed")
        self._progress = Progress(f"{runs} run" + "s" * (runs != 1), max(total, 1), shown=shown)

    def advance(self, steps: int) -> None:
        """So many steps more are done, by whichever run."""
        self.steps += steps
        values = {"runs done": float(self.done)} | ({"failed": float(self.failed)} if self.failed else {})
        self._progress.log(self.steps, values)

    def finished(self, title: str, summary: Mapping[str, Any]) -> None:
        """A run has ended, with the summary of its directory; its line is a result and goes to standard output."""
        self.done += 1
        metric = summary["metric"]
        value = summary["validation"][metric]
        text = "–" if math.isnan(value) else f"{value:.4g}"
        spent = duration(sum(summary["seconds"].values()))
        line = " · ".join([f"[{self.done + self.failed}/{self.runs}] {title}", f"{summary['steps']} steps", spent])
        print(f"{line} · validation/{metric} {text}", file=self._out or sys.stdout, flush=True)

    def lost(self) -> None:
        """A run has failed."""
        self.failed += 1

    def close(self) -> None:
        """Remove the bar."""
        self._progress.close()
