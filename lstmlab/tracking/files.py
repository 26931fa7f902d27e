"""The files of a run directory, which hold the results; W&B and the terminal only show them.

    metrics.jsonl                     one JSON row per ``log``: {"step": 10, "train/loss": 1.2}
    summary.json                      written once, when the run ends
    samples/<name>-<step>.txt         generated texts
    pictures/<name>-<step>.png, .gif  images and videos
    tables/<name>-<step>.csv          tables

Steps in file names have seven digits, so that names sort by step. Non-finite numbers are written as the strings
"NaN", "Infinity" and "-Infinity", which the functions here read as floats again (the reason is in
:mod:`lstmlab.tracking.plain`).
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from lstmlab.plots.images import frames_to_gif, png_bytes
from lstmlab.tracking.checksums import RECORDED, Damaged, check_files, with_checksums, without_checksums
from lstmlab.tracking.plain import from_plain, to_plain
from lstmlab.tracking.sinks import Frames, Image
from lstmlab.tracking.tables import Rows, write_csv
from lstmlab.tracking.written import note_written, remove_written_after

METRICS = "metrics.jsonl"
SUMMARY = "summary.json"


class RunError(Exception):
    """A run directory cannot be read or used; the message is one line and names the file."""


class RunFiles:
    """The sink that writes the files of a run directory. Its failures, such as a full disk, are errors of the run."""

    def __init__(self, directory: Path | str) -> None:
        """Create ``directory`` if it is missing; rows are appended to those of an earlier run.

        See :meth:`resume_from` and :meth:`start_over` for what else can happen to them. A last row that was not
        written to its end, because the process was killed, is removed: the next row would continue it.
        """
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self._metrics = self.directory / METRICS
        self._earlier = self._metrics.exists()
        if self._earlier:
            _remove_incomplete_row(self._metrics)
        self._open()

    def resume_from(self, step: int) -> None:
        """Delete everything after ``step``, the step of the checkpoint from which the run resumes.

        That is later rows, samples, images and tables, and the summary of the earlier end.
        """
        self._stream.close()
        rows = [row for row in read_metrics(self.directory) if row["step"] <= step]
        write_atomically(self._metrics, "".join(map(_row_line, rows)))
        self._open()
        (self.directory / SUMMARY).unlink(missing_ok=True)
        remove_written_after(self.directory, step)

    def start_over(self) -> None:
        """Delete an earlier run in this directory; its rows are kept as ``metrics.previous.jsonl``."""
        if not self._earlier:
            return
        self._stream.close()
        if self._metrics.stat().st_size:
            self._metrics.replace(self.directory / "metrics.previous.jsonl")
        self._metrics.unlink(missing_ok=True)
        self._open()
        self.resume_from(-1)

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Append one row; it is handed to the operating system before this returns, so that a kill does not lose it."""
        if "step" in values:
            raise ValueError("'step' is no metric name: it is the key of the step itself")
        self._stream.write(_row_line({"step": int(step), **values}))
        self._stream.flush()

    def text(self, step: int, name: str, text: str) -> None:
        """Write ``samples/<name>-<step>.txt``."""
        self.path("samples", name, step, "txt").write_text(text, encoding="utf-8")

    def image(self, step: int, name: str, image: Image) -> None:
        """Write ``pictures/<name>-<step>.png``, from pixels or as a copy of a PNG."""
        path = self.path("pictures", name, step, "png")
        if not isinstance(image, Path):
            path.write_bytes(png_bytes(image))
        elif image.resolve() != path.resolve():
            shutil.copyfile(image, path)

    def video(self, step: int, name: str, frames: Frames) -> None:
        """Write ``pictures/<name>-<step>.gif``."""
        frames_to_gif(self.path("pictures", name, step, "gif"), frames)

    def table(self, step: int, name: str, columns: Sequence[str], rows: Rows) -> None:
        """Write ``tables/<name>-<step>.csv``."""
        write_csv(self.path("tables", name, step, "csv"), columns, rows)

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Write ``summary.json`` with ``"status": "finished"``: whole or not at all."""
        self._end({"status": "finished", **summary})

    def fail(self, message: str) -> None:
        """Write ``summary.json`` with ``"status": "failed"`` and the message as ``"error"``."""
        self._end({"status": "failed", "error": message})

    def _end(self, summary: Mapping[str, Any]) -> None:
        self._stream.close()
        sealed = with_checksums(to_plain(summary), self.directory)
        text = json.dumps(sealed, indent=2, ensure_ascii=False, allow_nan=False)
        write_atomically(self.directory / SUMMARY, text + "\n")

    def _open(self) -> None:
        self._stream = self._metrics.open("a", encoding="utf-8", newline="\n")

    def path(self, folder: str, name: str, step: int, suffix: str) -> Path:
        """Where to write a file of ``samples``, ``pictures`` or ``tables``; it counts as the run's from now on."""
        safe = re.sub(r"[^\w.-]+", "-", name).strip("-.")
        if not safe:
            raise ValueError(f"'{name}' cannot name a file")
        (self.directory / folder).mkdir(exist_ok=True)
        path = self.directory / folder / f"{safe}-{int(step):07d}.{suffix}"
        note_written(self.directory, path)
        return path


def read_metrics(directory: Path | str) -> list[dict[str, Any]]:
    """The rows of a run in the order in which they were logged; the run may still be going on.

    A last row without a line break, which is being written, is left out. Raises :class:`RunError` if the file is
    missing or another row cannot be read.
    """
    path = Path(directory) / METRICS
    rows = []
    for number, line in enumerate(_read(path).split("\n")[:-1], start=1):
        try:
            row = from_plain(json.loads(line))
            row["step"] = int(row["step"])
        except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
            raise RunError(f"{path}: line {number} is not a row of metrics") from None
        rows.append(row)
    return rows


def read_summary(directory: Path | str) -> dict[str, Any]:
    """The summary of a run that has ended; ``summary["status"]`` is "finished" or "failed".

    Raises :class:`RunError` if the file cannot be read or is missing, because the run goes on or was killed.
    """
    path = Path(directory) / SUMMARY
    try:
        return from_plain(without_checksums(_read_summary(path), path))
    except Damaged as error:
        raise RunError(str(error)) from None


def check_run_files(directory: Path | str, names: Sequence[str] = RECORDED) -> None:
    """Compare the files of a run that has ended with their checksums in ``summary.json``, if it has any.

    Raises :class:`RunError` naming the first that is missing or differs.
    """
    directory = Path(directory)
    try:
        check_files(_read_summary(directory / SUMMARY), directory, names)
    except Damaged as error:
        raise RunError(str(error)) from None
    except OSError as error:
        raise RunError(f"{error.filename} cannot be read: {error.strerror}") from None


def _read_summary(path: Path) -> dict[str, Any]:
    try:
        summary = json.loads(_read(path))
    except json.JSONDecodeError as error:
        raise RunError(f"{path}: not valid JSON (line {error.lineno})") from None
    except (ValueError, RecursionError):
        raise RunError(f"{path}: not the JSON of a summary") from None
    if not isinstance(summary, dict):
        raise RunError(f"{path}: not a summary but a {type(summary).__name__}")
    if not isinstance(summary.get("status"), str):
        raise RunError(f"{path}: not the summary of a run: it has no status")
    return summary


def series(rows: Sequence[Mapping[str, Any]], name: str) -> tuple[list[int], list[float]]:
    """Steps and values of one metric, from the rows that have it; both are empty if none has."""
    pairs = [(row["step"], row[name]) for row in rows if name in row]
    return [step for step, _ in pairs], [value for _, value in pairs]


def write_atomically(path: Path, text: str) -> None:
    """Replace a file as a whole: a reader sees the old contents or the new ones, and a failure leaves the old ones."""
    with replaced_atomically(path) as stream:
        stream.write(text.encode())


@contextlib.contextmanager
def replaced_atomically(path: Path) -> Iterator[BinaryIO]:
    """A stream whose content takes the place of the file when the block ends without an error."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as stream:
            yield stream
            stream.flush()
            # Without this a power failure could leave an empty file under the new name.
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def file_names(names: Sequence[str]) -> list[str]:
    """A file name for each name, of letters, digits and ``_``; names that would be equal get a number."""
    safe = ["".join(c if c.isalnum() else "_" for c in name) for name in names]
    return [name if safe.count(name) == 1 else f"{name}_{i}" for i, name in enumerate(safe, 1)]


def _row_line(row: Mapping[str, Any]) -> str:
    return json.dumps(to_plain(row), ensure_ascii=False, allow_nan=False) + "\n"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise RunError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(f"{path}: cannot be read ({error})") from None


def _remove_incomplete_row(path: Path) -> None:
    rows, line_break, incomplete = path.read_bytes().rpartition(b"\n")
    if incomplete:
        with path.open("rb+") as stream:
            stream.truncate(len(rows) + len(line_break))
