"""CSV files as text cells: what stands in a file, before anything is made of it."""

from __future__ import annotations

import csv
import gzip
import io
import math
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from lstmlab.data.download import DataError
from lstmlab.data.times import parsers

_BINARY = {
    b"PK\x03\x04": "a ZIP archive or spreadsheet", b"PAR1": "a Parquet file",
    b"\xff\xfe": "UTF-16 text", b"\xfe\xff": "UTF-16 text", b"%PDF": "a PDF", b"\x89PNG": "a picture",
}  # fmt: skip


class Cells(NamedTuple):
    """The cells of a file."""

    path: Path
    header: list[str]
    """names of the columns"""
    rows: list[list[str]]
    """as long as the header"""
    lines: list[int]
    """of each row, in the file"""

    def where(self, row: int, column: int) -> str:
        """A cell's place, for errors."""
        return f"{self.path}, line {self.lines[row]}, column '{self.header[column]}'"


def read_cells(path: Path) -> Cells:
    """All cells of a file; raises ``DataError`` as :func:`lstmlab.data.table.read_table` says."""
    try:
        raw = path.read_bytes()
        if raw.startswith(b"\x1f\x8b"):
            raw = gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None
    for mark, kind in _BINARY.items():
        if raw.startswith(mark):
            raise DataError(f"{path} is {kind}, but must be a CSV file in UTF-8")
    if b"\0" in raw:
        raise DataError(f"{path} is a binary file, but must be a CSV file in UTF-8")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise DataError(
            f"{path}, line {line}: not UTF-8 (byte {raw[error.start]:#x}); save the file as UTF-8"
        ) from None
    if not text.strip():
        raise DataError(f"{path} is empty: it needs a line of column names and one line per point in time")
    header, rows, lines = [], [], []
    for line, row in _records(path, text):
        if not header:
            header = [name.strip() for name in row]
        elif len(row) != len(header):
            raise DataError(f"{path}, line {line}: {len(row)} cells, but the first line names {len(header)} columns")
        else:
            rows.append(row)
            lines.append(line)
    cells = Cells(path, header, rows, lines)
    _check_header(cells)
    if len(rows) < 2:
        raise DataError(f"{path} has {len(rows) or 'no'} row{'s' * (not rows)} of data: it needs at least two")
    return cells


def _records(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, with their line numbers."""
    first = text.lstrip().split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    done = 0
    try:
        for row in reader:
            done = reader.line_num
            if any(cell.strip() for cell in row):
                yield done, row
    except csv.Error as error:
        # An open quote swallows the rest of the file: what helps is where its row begins.
        raise DataError(f"{path}, line {done + 1}: not CSV ({error}; is a quote left open?)") from None


def _check_header(cells: Cells) -> None:
    path, header = cells.path, cells.header
    if not header[0] and cells.rows and parsers(cells.rows[0][0].strip()):
        header[0] = "time"  # as pandas leaves its index
    if all(is_number(name) or parsers(name) for name in header):
        raise DataError(f"{path}: the first line has values ({header[0]} …), but must name the columns")
    for position, name in enumerate(header, 1):
        if not name:
            raise DataError(f"{path}: column {position} has no name in the first line")
        if header.index(name) + 1 != position:
            raise DataError(f"{path}: the columns {header.index(name) + 1} and {position} are both called '{name}'")


def is_number(text: str) -> bool:
    """Whether a cell is a finite number."""
    try:
        return "_" not in text and math.isfinite(float(text))
    except ValueError:
        return False
