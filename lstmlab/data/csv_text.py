"""CSV files as text cells: what a file contains, before the cells become numbers and times."""

from __future__ import annotations

import csv
import gzip
import io
import math
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lstmlab.data.download import DataError
from lstmlab.data.times import parsers

if TYPE_CHECKING:
    import pandas as pd

_BINARY = {
    b"PK\x03\x04": "a ZIP archive or spreadsheet", b"PAR1": "a Parquet file",
    b"\xff\xfe": "UTF-16 text", b"\xfe\xff": "UTF-16 text", b"%PDF": "a PDF", b"\x89PNG": "a picture",
}  # fmt: skip


class Cells(NamedTuple):
    """The cells of a file."""

    path: Path
    frame: pd.DataFrame
    """text without spaces around it; the columns have the file's names, and the index has its line numbers"""

    def where(self, row: int, column: str) -> str:
        """The place of a cell in the file, for errors; ``row`` counts rows from 0."""
        return f"{self.path}, line {self.frame.index[row]}, column '{column}'"


def read_cells(path: Path) -> Cells:
    """All cells of a file; raises ``DataError`` as :func:`lstmlab.data.table.read_table` does."""
    import pandas as pd  # not at the top: it takes half a second, and `lstmlab cells` imports this file

    text = _read_text(path)
    header, rows, lines = [], [], []
    for line, row in _records(path, text):
        if not header:
            header = row
        elif len(row) != len(header):
            raise DataError(f"{path}, line {line}: {len(row)} cells, but the first line names {len(header)} columns")
        else:
            rows.append(row)
            lines.append(line)
    header = _checked_names(path, header, rows)
    if len(rows) < 2:
        raise DataError(f"{path} has {len(rows) or 'no'} row{'s' * (not rows)} of data: it needs at least two")
    return Cells(path, pd.DataFrame(rows, columns=header, index=lines, dtype=object))


def _read_text(path: Path) -> str:
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
    return text


def _records(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, with their line numbers.

    Read with :mod:`csv`, since :func:`pandas.read_csv` gives no line numbers and fills up rows that are too short.
    """
    first = text.lstrip().split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 0
    try:
        for row in reader:
            line = reader.line_num
            cells = [cell.strip() for cell in row]
            if any(cells):
                yield line, cells
    except csv.Error as error:
        # An open quote swallows the rest of the file: the line where its row begins is the one to look at.
        raise DataError(f"{path}, line {line + 1}: not CSV ({error}; is a quote left open?)") from None


def _checked_names(path: Path, header: list[str], rows: list[list[str]]) -> list[str]:
    """The column names, if the first line has names; pandas leaves that of an index empty, which is read as "time"."""
    if not header[0] and rows and parsers(rows[0][0]):
        header = ["time", *header[1:]]
    if all(is_number(name) or parsers(name) for name in header):
        raise DataError(f"{path}: the first line has values ({header[0]} …), but must name the columns")
    for position, name in enumerate(header, 1):
        if not name:
            raise DataError(f"{path}: column {position} has no name in the first line")
        if header.index(name) + 1 != position:
            raise DataError(f"{path}: the columns {header.index(name) + 1} and {position} are both called '{name}'")
    return header


def number(text: str) -> float:
    """The value of a cell that is a finite number; NaN for any other."""
    try:
        value = math.nan if "_" in text else float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def is_number(text: str) -> bool:
    """Whether a cell is a finite number."""
    return not math.isnan(number(text))
