"""The tracker of a run: one stream of results, sent to several sinks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from lstmlab.tracking.files import RunError, RunFiles
from lstmlab.tracking.plain import number, one_line
from lstmlab.tracking.sinks import BestEffort, Frames, Image, Sink
from lstmlab.tracking.tables import Rows
from lstmlab.tracking.tensorboard_sink import tensorboard_sinks
from lstmlab.tracking.wandb_settings import WandbSettings
from lstmlab.tracking.wandb_sink import wandb_sinks


class Tracker:
    """What a run reports its results to. Every call goes to all sinks, in the given order: files first.

    Use it as a context manager: an exception inside marks the run as failed and is raised again; otherwise the run is
    finished at the end, unless :meth:`finish` was called before. Calls after the end raise
    :class:`~lstmlab.tracking.files.RunError`. To be used from one thread.
    """

    def __init__(self, *sinks: Sink) -> None:
        """Report to these sinks. Exceptions of a sink propagate, unless it is wrapped in ``BestEffort``."""
        self._sinks = sinks
        self._ended = False

    def log(self, step: int, values: Mapping[str, Any]) -> None:
        """Report metrics after ``step`` optimiser steps: names such as ``validation/loss``.

        One call is one row, so call it once per step with all metrics of that step. Values are Python numbers or
        NumPy or JAX scalars, and may be NaN or infinite. Raises ``TypeError`` for anything else.
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

    def image(self, step: int, name: str, image: Image | str) -> None:
        """Report an image: uint8 ``height width`` or ``height width 3``, or the path of a PNG.

        Raises ``ValueError`` for other arrays; :func:`lstmlab.plots.images.to_pixels` converts floats.
        """
        self._check_open()
        for sink in self._sinks:
            sink.image(step, name, Path(image) if isinstance(image, str) else image)

    def video(self, step: int, name: str, frames: Frames) -> None:
        """Report a video: uint8 ``time height width`` or ``time height width 3``.

        Raises ``ValueError`` for other arrays.
        """
        self._check_open()
        for sink in self._sinks:
            sink.video(step, name, frames)

    def table(self, step: int, name: str, columns: Sequence[str], rows: Rows) -> None:
        """Report a table; raises ``ValueError`` unless every row has one cell per column."""
        self._check_open()
        for sink in self._sinks:
            sink.table(step, name, columns, rows)

    def finish(self, summary: Mapping[str, Any] | None = None) -> None:
        """Finish the run; the summary holds final metrics, sizes, timings, versions, and may be nested."""
        content = summary or {}
        self._end(lambda sink: sink.finish(content))

    def fail(self, message: str) -> None:
        """End the run without a result, for the given reason (made one line)."""
        reason = one_line(message, limit=1000)
        self._end(lambda sink: sink.fail(reason))

    def __enter__(self) -> Tracker:
        """Return the tracker itself."""
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
            # The first exception says what went wrong; the second must not hide it.
            error.add_note(f"(and the failure could not be recorded: {one_line(second)})")

    def _end(self, close: Callable[[Sink], None]) -> None:
        """Close every sink, even after one failed; then raise the first failure."""
        self._check_open()
        self._ended = True
        failures: list[BaseException] = []
        for sink in self._sinks:
            try:
                close(sink)
            except Exception as failure:
                failures.append(failure)
        if failures:
            raise failures[0]

    def _check_open(self) -> None:
        if self._ended:
            raise RunError("the run is finished: nothing more can be logged")


def open_tracker(
    directory: Path | str,
    *,
    wandb: WandbSettings | None = None,
    config: Mapping[str, Any] | None = None,
    tensorboard: bool = False,
    progress: Sink | None = None,
    resume_step: int | None = None,
) -> Tracker:
    """The usual tracker of a run: files in ``directory``, W&B, TensorBoard, and progress on the terminal.

    Args:
        directory: the run directory.
        wandb: None for no W&B at all.
        config: what W&B and TensorBoard show as the configuration.
        tensorboard: also write TensorBoard event files.
        progress: what shows the run on the terminal; None shows nothing.
        resume_step: step of the checkpoint from which the run resumes. Later results of the interrupted run are
            deleted, and the W&B run continues under the same identifier. None starts over: the rows of an earlier run
            in that directory are kept as ``metrics.previous.jsonl``.

    Raises ``RunError`` where TensorBoard is asked for, and its package is missing.
    """
    boards = tensorboard_sinks(directory, config, resume_step=resume_step) if tensorboard else []
    files = RunFiles(directory)
    if resume_step is None:
        files.start_over()
    else:
        files.resume_from(resume_step)
    settings = wandb or WandbSettings(mode="disabled")
    sinks = wandb_sinks(directory, settings, config, resume=resume_step is not None) + boards
    if progress is not None:
        # A closed terminal or a broken pipe must not stop a run.
        sinks.append(BestEffort("the progress display", lambda: progress))
    return Tracker(files, *sinks)
