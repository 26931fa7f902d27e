"""A run's directory: the results themselves. Every other sink only shows them.

    metrics.jsonl                     one JSON row per ``log``: {"step": 10, "train/loss": 1.2}
    summary.json                      written once, when the run ends
    samples/<name>-<step>.txt         generated texts
    pictures/<name>-<step>.png, .gif  pictures and videos
    tables/<name>-<step>.csv          tables

Steps in file names have seven digits, so that names sort by time. Non-finite numbers are written
as the strings "NaN", "Infinity" and "-Infinity", and the readers here turn them into floats again
(why: :mod:`lstmlab.tracking.plain`).
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lstmlab.plots.images import frames_to_gif, png_bytes
from lstmlab.tracking.plain import from_plain, to_plain
from lstmlab.tracking.sinks import Picture
from lstmlab.tracking.tables import write_csv

METRICS = "metrics.jsonl"
SUMMARY = "summary.json"
_STEPPED_FOLDERS = ("samples", "pictures", "tables")
_STEP_IN_NAME = re.compile(r"-(\d{7,})\.\w+$")


class RunError(Exception):
    """A run directory cannot be read or used. The message is one line and names the file."""


class RunFiles:
    """The sink that writes a run's directory. Its failures (a full disk) are errors of the run."""

    def __init__(self, directory: Path | str) -> None:
        """Create ``directory`` where needed, and append to the rows that are there already.

        Rows of an earlier run stay; see :meth:`resume_from` and :meth:`start_over`. A last row
        that a kill cut in two is removed, because the next row would be glued to it.
        """
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self._metrics = self.directory / METRICS
        if self._metrics.exists():
            _cut_torn_row(self._metrics)
        self._open()

    def resume_from(self, step: int) -> None:
        """Forget everything after ``step``, the step of the checkpoint that the run resumes from.

        Drops later rows, later samples, pictures and tables, and the summary of the earlier end.
        """
        self._stream.close()
        rows = [row for row in read_metrics(self.directory) if row["step"] <= step]
        write_atomically(self._metrics, "".join(map(_row_line, rows)))
        self._open()
        (self.directory / SUMMARY).unlink(missing_ok=True)
        for folder in _STEPPED_FOLDERS:
            for path in (self.directory / folder).glob("*"):
                stepped = _STEP_IN_NAME.search(path.name)
                if stepped and int(stepped[1]) > step:
                    path.unlink()

    def start_over(self) -> None:
        """Forget an earlier run in this directory; its rows stay as ``metrics.previous.jsonl``."""
        self._stream.close()
        if self._metrics.stat().st_size:
            self._metrics.replace(self.directory / "metrics.previous.jsonl")
        self._metrics.unlink(missing_ok=True)
        self._open()
        self.resume_from(-1)

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Append one row; it is with the operating system before this returns."""
        if "step" in values:
            raise ValueError("'step' is no metric name: it is the key of the step itself")
        self._stream.write(_row_line({"step": int(step), **values}))
        self._stream.flush()

    def text(self, step: int, name: str, text: str) -> None:
        """Write ``samples/<name>-<step>.txt``."""
        self._path("samples", name, step, "txt").write_text(text, encoding="utf-8")

    def image(self, step: int, name: str, picture: Picture) -> None:
        """Write ``pictures/<name>-<step>.png``, from pixels or as a copy of the given PNG."""
        path = self._path("pictures", name, step, "png")
        if not isinstance(picture, Path):
            path.write_bytes(png_bytes(picture))
        elif picture.resolve() != path.resolve():
            shutil.copyfile(picture, path)

    def video(self, step: int, name: str, frames: np.ndarray) -> None:
        """Write ``pictures/<name>-<step>.gif`` from uint8 ``time height width [3]``."""
        frames_to_gif(self._path("pictures", name, step, "gif"), frames)

    def table(self, step: int, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Write ``tables/<name>-<step>.csv``."""
        write_csv(self._path("tables", name, step, "csv"), columns, rows)

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Write ``summary.json`` with ``"status": "finished"``: whole or not at all."""
        self._end({"status": "finished", **summary})

    def fail(self, message: str) -> None:
        """Write ``summary.json`` with ``"status": "failed"`` and the message as ``"error"``."""
        self._end({"status": "failed", "error": message})

    def _end(self, summary: Mapping[str, Any]) -> None:
        self._stream.close()
        text = json.dumps(to_plain(summary), indent=2, ensure_ascii=False, allow_nan=False)
        write_atomically(self.directory / SUMMARY, text + "\n")

    def _open(self) -> None:
        self._stream = self._metrics.open("a", encoding="utf-8", newline="\n")

    def _path(self, folder: str, name: str, step: int, suffix: str) -> Path:
        safe = re.sub(r"[^\w.-]+", "-", name).strip("-.")
        if not safe:
            raise ValueError(f"'{name}' cannot name a file")
        (self.directory / folder).mkdir(exist_ok=True)
        return self.directory / folder / f"{safe}-{int(step):07d}.{suffix}"


def read_metrics(directory: Path | str) -> list[dict[str, Any]]:
    """The rows of a run, in the order they were logged; also while the run is going on.

    A last row that is not ended by a line break (yet) is left out. Raises :class:`RunError` when
    the file is missing or another row is garbled.
    """
    path = Path(directory) / METRICS
    rows = []
    for count, line in enumerate(_read(path).split("\n")[:-1], start=1):
        try:
            row = from_plain(json.loads(line))
            row["step"] = int(row["step"])
        except (ValueError, TypeError, KeyError):
            raise RunError(f"{path}: line {count} is not a row of metrics") from None
        rows.append(row)
    return rows


def read_summary(directory: Path | str) -> dict[str, Any]:
    """What the run said at its end; ``summary["status"]`` is "finished" or "failed".

    Raises :class:`RunError` when the file is missing (the run goes on, or was killed) or garbled.
    """
    path = Path(directory) / SUMMARY
    try:
        summary = from_plain(json.loads(_read(path)))
    except json.JSONDecodeError as error:
        raise RunError(f"{path}: not valid JSON (line {error.lineno})") from None
    if not isinstance(summary, dict):
        raise RunError(f"{path}: not a summary but a {type(summary).__name__}")
    return summary


def series(rows: Sequence[Mapping[str, Any]], name: str) -> tuple[list[int], list[float]]:
    """Steps and values of one metric, from the rows that have it; both empty if none has."""
    pairs = [(row["step"], row[name]) for row in rows if name in row]
    return [step for step, _ in pairs], [value for _, value in pairs]


def write_atomically(path: Path, text: str) -> None:
    """Write a whole file, or leave the old one: a reader never sees half of it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
            stream.flush()
            # Without this a power cut could leave the new name with no contents.
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def file_names(names: Sequence[str]) -> list[str]:
    """For each name one that any file system takes: letters, digits and ``_``, and a number where two would agree."""
    plain = ["".join(c if c.isalnum() else "_" for c in name) for name in names]
    return [name if plain.count(name) == 1 else f"{name}_{i}" for i, name in enumerate(plain, 1)]


def _row_line(row: Mapping[str, Any]) -> str:
    return json.dumps(to_plain(row), ensure_ascii=False, allow_nan=False) + "\n"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise RunError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(f"{path}: cannot be read ({error})") from None


def _cut_torn_row(path: Path) -> None:
    rows, line_break, torn = path.read_bytes().rpartition(b"\n")
    if torn:
        with path.open("rb+") as stream:
            stream.truncate(len(rows) + len(line_break))
