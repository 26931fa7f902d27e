"""The files of runs that the page shows: listed, read up to a limit, and served from inside the runs only."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

KINDS = {".png": "image/png", ".gif": "image/gif", ".txt": "text/plain", ".csv": "text/plain"}
"""what is served, by ending; text is never served as something that a browser would run"""
FOLDERS = ("pictures", "samples", "tables")
LARGEST_TEXT = 20_000
"""bytes of a text that the page shows"""
_STEP = re.compile(r"-(\d{7,})$")


@dataclass(frozen=True)
class Shown:
    """One file of a run."""

    path: Path
    name: str
    """without the step and the ending"""
    step: int
    written: int
    """nanoseconds since 1970"""


def listed(run: Path, folder: str) -> dict[str, list[Shown]]:
    """The files of a folder of a run by name, each name's in the order of steps; empty where there is no folder."""
    found: dict[str, list[Shown]] = {}
    try:
        entries = sorted(os.scandir(run / folder), key=lambda entry: entry.name)
    except OSError:
        return {}
    for entry in entries:
        path = Path(entry.path)
        if path.suffix not in KINDS or not entry.is_file(follow_symlinks=False):
            continue
        step = _STEP.search(path.stem)
        name = path.stem[: step.start()] if step else path.stem
        try:
            written = entry.stat().st_mtime_ns
        except OSError:
            continue
        found.setdefault(name, []).append(Shown(path, name, int(step[1]) if step else 0, written))
    for files in found.values():
        files.sort(key=lambda each: each.step)
    return found


def inside(run: Path, folder: str, name: str) -> Path | None:
    """The file of a folder of a run, if it is one that may be served: ``None`` for every other.

    Nothing outside the folder is served: no name with a slash or two dots, no hidden file, and no link.
    """
    if folder not in FOLDERS or Path(name).suffix not in KINDS or Path(name).name != name or name.startswith("."):
        return None
    path = run / folder / name
    try:
        real = path.resolve(strict=True)
        home = run.resolve(strict=True)
    except (OSError, ValueError, RuntimeError):
        return None
    return path if real == home / folder / name and real.is_file() else None


def beginning(path: Path, limit: int = LARGEST_TEXT) -> str:
    """The text of a file up to ``limit`` bytes; what is no UTF-8 is replaced. An unreadable file says so."""
    return _part(path, limit, from_end=False)


def ending(path: Path, limit: int = LARGEST_TEXT) -> str:
    """The last ``limit`` bytes of the text of a file, as of a log."""
    return _part(path, limit, from_end=True)


def _part(path: Path, limit: int, *, from_end: bool) -> str:
    try:
        with path.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            if from_end:
                stream.seek(max(size - limit, 0))
            text = stream.read(limit).decode("utf-8", "replace")
    except OSError as error:
        return f"{path.name} cannot be read: {error.strerror}"
    if size <= limit:
        return text
    return f"…{text}" if from_end else f"{text}…"
