"""TensorBoard as a sink: event files in ``<run directory>/tensorboard``. Only this file imports ``tensorboardX``."""

from __future__ import annotations

import importlib.util
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image as Images

from lstmlab.plots.images import gif_bytes, png_bytes
from lstmlab.tracking.files import RunError
from lstmlab.tracking.plain import to_plain
from lstmlab.tracking.sinks import BestEffort, Frames, Image
from lstmlab.tracking.tables import Rows, markdown_table

FOLDER = "tensorboard"


def tensorboard_sinks(
    directory: Path | str, config: Mapping[str, Any] | None = None, *, resume_step: int | None = None
) -> list[BestEffort]:
    """The TensorBoard sink of the run in ``directory``; ``tensorboard --logdir DIR`` shows all runs below ``DIR``.

    ``config`` is the run's configuration. Events after ``resume_step`` are hidden, without it all earlier ones: they
    are of a run that this one continues or replaces. Raises ``RunError`` where ``tensorboardX`` is missing; later
    failures do not stop the run.
    """
    if importlib.util.find_spec("tensorboardX") is None:
        raise RunError("tracking.tensorboard=true needs tensorboardX: pip install 'lstmlab[tensorboard]'")
    first = 0 if resume_step is None else resume_step + 1
    return [BestEffort("TensorBoard", lambda: TensorBoardSink(Path(directory) / FOLDER, config or {}, first))]


class TensorBoardSink:
    """The event file of one run. Any call may fail; use it through :func:`tensorboard_sinks`."""

    def __init__(self, folder: Path, config: Mapping[str, Any], first_step: int) -> None:
        """Open a new event file in ``folder``; events of earlier files from ``first_step`` on are hidden."""
        from tensorboardX import SummaryWriter

        self._writer = SummaryWriter(str(folder), purge_step=first_step if folder.exists() else None)
        self._writer.add_text("configuration", _code(config), first_step)

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Log one row of metrics."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)
        # A killed run keeps its rows; tensorboardX would hold them back for two minutes.
        self._writer.flush()

    def text(self, step: int, name: str, text: str) -> None:
        """Log a text, with its line breaks and spaces as they are."""
        self._writer.add_text(name, "".join(f"    {line}\n" for line in text.splitlines()), step)

    def image(self, step: int, name: str, image: Image) -> None:
        """Log an image."""
        self._encoded(step, name, image.read_bytes() if isinstance(image, Path) else png_bytes(image))

    def video(self, step: int, name: str, frames: Frames) -> None:
        """Log a video as an animated GIF, which TensorBoard plays among the images."""
        self._encoded(step, name, gif_bytes(frames))

    def table(self, step: int, name: str, columns: Sequence[str], rows: Rows) -> None:
        """Log a table."""
        self._writer.add_text(name, markdown_table(columns, rows), step)

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Log the final numbers as a text, and close the file."""
        self._writer.add_text("summary", _code(summary), summary.get("steps"))
        self._writer.close()

    def fail(self, message: str) -> None:
        """Log why the run has no result, and close the file."""
        self._writer.add_text("error", message)
        self._writer.close()

    def _encoded(self, step: int, name: str, content: bytes) -> None:
        # add_image would decode a PNG to encode it again, and add_video needs moviepy.
        from tensorboardX.proto.summary_pb2 import Summary  # pyright: ignore[reportAttributeAccessIssue] - made at run time

        with Images.open(io.BytesIO(content)) as opened:
            width, height = opened.size
        image = Summary.Image(height=height, width=width, colorspace=3, encoded_image_string=content)
        assert self._writer.file_writer is not None
        self._writer.file_writer.add_summary(Summary(value=[Summary.Value(tag=name, image=image)]), step)


def _code(values: Mapping[str, Any]) -> str:
    """Nested values as an indented block, which TensorBoard's Markdown leaves as it is."""
    text = json.dumps(to_plain(values), indent=1, ensure_ascii=False, default=str)
    return "".join(f"    {line}\n" for line in text.splitlines())
