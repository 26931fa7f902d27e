"""One stream of results, shown and kept by several sinks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from lstmlab.tracking.files import RunError, RunFiles
from lstmlab.tracking.plain import number, one_line
from lstmlab.tracking.sinks import BestEffort, Picture, Sink
from lstmlab.tracking.wandb_sink import WandbSettings, wandb_sinks


class Tracker:
    """What a run reports to. Every call goes to all sinks, in the order given: files first.

    Use it as a context manager: leaving with an exception marks the run failed (and the exception
    goes on), leaving without one finishes it, if :meth:`finish` was not called before.
    Calls after the end raise :class:`~lstmlab.tracking.files.RunError`. One thread only.
    """

    def __init__(self, *sinks: Sink) -> None:
        """Report to these sinks. An exception of a sink propagates; see ``sinks.BestEffort``."""
        self._sinks = sinks
        self._ended = False

    def log(self, step: int, values: Mapping[str, Any]) -> None:
        """Report metrics after ``step`` optimiser steps: names such as ``validation/loss``.

        Call it once per step with all metrics of that step: one call is one row. Values are Python
        numbers or NumPy or JAX scalars, and may be NaN or infinite; anything else raises
        ``TypeError``.
        """
        self._check_open()
        numbers = {name: number(name, value) for name, value in values.items()}
        for sink in self._sinks:
            sink.log(step, numbers)

    def text(self, step: int, name: str, text: str) -> None:
        """Report a text, such as a generated sample."""
        self._check_open()
        for sink in self._sinks:
            sink.text(step, name, text)

    def image(self, step: int, name: str, picture: Picture | str) -> None:
        """Report a picture: uint8 ``height width`` or ``height width 3``, or the path of a PNG.

        Raises ``ValueError`` for other arrays (``pictures.to_pixels`` makes them of floats).
        """
        self._check_open()
        for sink in self._sinks:
            sink.image(step, name, Path(picture) if isinstance(picture, str) else picture)

    def video(self, step: int, name: str, frames: np.ndarray) -> None:
        """Report frames: uint8 ``time height width`` or ``time height width 3``.

        Raises ``ValueError`` for other arrays.
        """
        self._check_open()
        for sink in self._sinks:
            sink.video(step, name, frames)

    def table(self, step: int, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Report a table; raises ``ValueError`` when a row has not one cell per column."""
        self._check_open()
        for sink in self._sinks:
            sink.table(step, name, columns, rows)

    def finish(self, summary: Mapping[str, Any] | None = None) -> None:
        """The run is done: final metrics, sizes, timings, versions; may be nested."""
        self._end("finish", summary or {})

    def fail(self, message: str) -> None:
        """The run ended without a result, for the reason given (kept as one line)."""
        self._end("fail", one_line(message, limit=1000))

    def __enter__(self) -> Tracker:
        """The tracker itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the run, unless it has ended already."""
        if self._ended:
            return
        if error is None:
            self.finish()
            return
        try:
            self.fail(one_line(error, limit=1000))
        except Exception as second:
            # The first exception says what went wrong; this one must not hide it.
            error.add_note(f"(and the failure could not be recorded: {one_line(second)})")

    def _end(self, how: str, argument: Any) -> None:
        """Close every sink, even after one failed; then raise the first failure."""
        self._check_open()
        self._ended = True
        failures: list[BaseException] = []
        for sink in self._sinks:
            try:
                getattr(sink, how)(argument)
            except Exception as failure:
                failures.append(failure)
        if failures:
            raise failures[0]

    def _check_open(self) -> None:
        if self._ended:
            raise RunError("the run has ended: its tracker takes nothing more")


def open_tracker(
    directory: Path | str,
    *,
    wandb: WandbSettings | None = None,
    config: Mapping[str, Any] | None = None,
    progress: Sink | None = None,
    resume_step: int | None = None,
) -> Tracker:
    """The usual tracker of a run: files in ``directory``, W&B, and a line on the terminal.

    ``wandb`` is None for no W&B at all; ``config`` is what W&B shows as the configuration.
    ``resume_step`` is the step of the checkpoint that the run resumes from: later results of the
    interrupted run are forgotten, and the W&B run goes on under its identifier. None starts over:
    rows of an earlier run in that directory are set aside as ``metrics.previous.jsonl``.
    """
    files = RunFiles(directory)
    if resume_step is None:
        files.start_over()
    else:
        files.resume_from(resume_step)
    settings = wandb or WandbSettings(mode="disabled")
    sinks = wandb_sinks(directory, settings, config, resume=resume_step is not None)
    if progress is not None:
        # A closed terminal or a broken pipe is no reason to lose a run.
        sinks.append(BestEffort("the progress display", lambda: progress))
    return Tracker(files, *sinks)
