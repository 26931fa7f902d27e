"""The rows of one ``metrics.jsonl``, read while the file grows: only what is new is parsed."""

from __future__ import annotations

import json
import os
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

_TAIL = 64
"""bytes before the place up to which the file was read; where they differ, the file is another one"""
_LARGEST = 64 << 20
"""bytes that are read at once"""


class Rows:
    """Steps and values by metric.

    Attributes:
        last: the newest value of every metric.
        step: the step of the newest row; 0 before the first.
        bad: how many lines are not rows of metrics; they are left out.
        first_bad: number of the first of them, from 1.
        behind: whether there is more than the last :meth:`poll` has read.
    """

    def __init__(self, path: Path) -> None:
        """Nothing is read before :meth:`poll`."""
        self.path = path
        self._identity: tuple[int, int] | None = None
        self._clear()

    def _clear(self) -> None:
        self._columns: dict[str, tuple[array[float], array[float]]] = {}
        self._offset = self._size = self._lines = 0
        self._tail = b""
        self.last: dict[str, float] = {}
        self.step = self.bad = self.first_bad = 0
        self.behind = False

    @property
    def metrics(self) -> list[str]:
        """Names of the metrics so far."""
        return list(self._columns)

    def curve(self, metric: str) -> tuple[np.ndarray, np.ndarray]:
        """Steps and values ``[n]`` of one metric, as copies; empty where there is no such metric."""
        steps, values = self._columns.get(metric, ((), ()))
        return np.array(steps, np.float64), np.array(values, np.float64)

    def poll(self) -> bool:
        """Read what was written since the last call; whether anything has changed.

        A last line without a line break is being written: it is read when it is whole. A file that was replaced or
        cut, as a resumed run does it, is read from its start; one that is missing has no rows. Raises ``OSError``
        where a file that is there cannot be read.
        """
        try:
            with self.path.open("rb") as stream:
                return self._read(stream)
        except FileNotFoundError:
            had, self._identity = self._identity is not None, None
            self._clear()
            return had

    def _read(self, stream: Any) -> bool:
        status = os.fstat(stream.fileno())
        identity, size = (status.st_dev, status.st_ino), status.st_size
        if identity == self._identity and size == self._size:
            return False
        stream.seek(max(self._offset - _TAIL, 0))
        tail = stream.read(min(self._offset, _TAIL))
        # The number of a deleted file may be given to the next one.
        if identity != self._identity or size < self._offset or tail != self._tail:
            self._clear()
            self._identity = identity
        stream.seek(self._offset)
        read = stream.read(_LARGEST)
        block, line_break, _ = read.rpartition(b"\n")
        whole = block + line_break
        self.behind = bool(whole) and self._offset + len(read) < size
        self._offset += len(whole)
        self._tail = (self._tail + whole)[-_TAIL:]
        self._size = -1 if self.behind else size
        if whole:
            self._add(block.split(b"\n"))
        return True

    def _add(self, lines: Sequence[bytes]) -> None:
        for number, row in enumerate(_parsed(lines), start=self._lines + 1):
            if not isinstance(row, dict) or not self._add_row(row):
                self.bad += 1
                self.first_bad = self.first_bad or number
        self._lines += len(lines)

    def _add_row(self, row: dict[str, Any]) -> bool:
        try:
            step = int(row["step"])
            # float() reads the strings for non-finite numbers too.
            values = {name: float(value) for name, value in row.items() if name != "step"}
            position = float(step)
        except (KeyError, TypeError, ValueError, OverflowError):
            return False
        for name, value in values.items():
            steps, column = self._columns.setdefault(name, (array("d"), array("d")))
            steps.append(position)
            column.append(value)
        self.last.update(values)
        self.step = step
        return True


def _parsed(lines: Sequence[bytes]) -> Sequence[Any]:
    """One JSON value per line, ``None`` where there is none. All at once is twice as fast as line by line."""
    try:
        rows = json.loads(b"[" + b",".join(lines) + b"]")
        if len(rows) == len(lines):
            return rows
    except (ValueError, RecursionError):
        pass
    return [_parsed_line(line) for line in lines]


def _parsed_line(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None
