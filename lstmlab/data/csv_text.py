"""CSV files as text cells: what a file contains, before the cells become numbers and times."""

from __future__ import annotations

import csv
import io
import lzma
import math
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Bool

from lstmlab.data.dialect import split_dialect
from lstmlab.data.download import DataError
from lstmlab.data.time_formats import parsers
from lstmlab.data.unpacked import BoundedFile

if TYPE_CHECKING:
    import pandas as pd

_BINARY = {
    b"PK\x03\x04": "a ZIP archive or spreadsheet", b"PAR1": "a Parquet file",
    b"\xff\xfe": "UTF-16 text", b"\xfe\xff": "UTF-16 text", b"%PDF": "a PDF", b"\x89PNG": "a picture",
}  # fmt: skip
_NEEDS = "it needs a line of column names and one line per point in time"
DECIMALS = (".", ",")
UNNAMED = "unnamed column {}"


class Cells(NamedTuple):
    """The cells of a file."""

    path: Path
    frame: pd.DataFrame
    """text without spaces around it; the columns have the file's names, and the index has its line numbers"""
    blank: Bool[np.ndarray, " rows"]
    """which rows are blank lines; their cells are empty"""
    unusable: Mapping[str, str]
    """columns that cannot be read, as they have no name or share it, and what to say when they are asked for"""

    def where(self, row: int, column: str) -> str:
        """The place of a cell in the file, for errors; ``row`` counts rows from 0."""
        return f"{self.path}, line {self.frame.index[row]}, column '{column}'"

    def without_blank_lines(self) -> Cells:
        """The other rows."""
        return self._replace(frame=self.frame[~self.blank], blank=self.blank[~self.blank])


def read_cells(path: Path) -> Cells:
    """All cells of a file; raises ``DataError`` as :func:`lstmlab.data.table.read_table` does.

    Blank lines between rows are rows whose cells are empty; before the first and after the last row they are not.
    """
    import pandas as pd  # not at the top: it takes half a second, and `lstmlab cells` imports this file

    header, rows, lines = [], [], []
    for line, row in _records(path, _read_text(path)):
        if not header:
            header = row if any(row) else []
        elif any(row) and len(row) != len(header):
            raise DataError(f"{path}, line {line}: {len(row)} cells, but the first line names {len(header)} columns")
        else:
            rows.append(row)
            lines.append(line)
    if not header:
        raise DataError(f"{path} has empty cells alone: {_NEEDS}")
    while rows and not any(rows[-1]):
        rows.pop()
    names, unusable = _names(path, header, rows)
    if len(rows) < 2:
        raise DataError(f"{path} has {len(rows) or 'no'} row{'s' * (not rows)} of data: it needs at least two")
    blank = np.array([not any(row) and len(row) <= 1 for row in rows])
    filled = [row if len(row) == len(header) else [""] * len(header) for row in rows]
    frame = pd.DataFrame(filled, columns=names, index=lines[: len(rows)], dtype=object)
    # The end of every line may have a delimiter: a column without a name and without a cell.
    empty = [name for name in unusable if name not in header and set(frame[name]) == {""}]
    return Cells(path, frame.drop(columns=empty), blank, unusable)


def _read_text(path: Path) -> str:
    try:
        with closing(BoundedFile(path)) as file:
            raw = file.read()
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"cannot read {path}: {reason}{_elsewhere(path)}") from None
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
        raise DataError(f"{path} is empty: {_NEEDS}")
    return text


def _elsewhere(path: Path) -> str:
    """A hint where a file has been moved together with the folders around it."""
    if path.exists():
        return ""
    tails = (Path(*path.parts[start:]) for start in range(1, len(path.parts)))
    found = next((tail for tail in tails if tail.is_file()), None)
    return f"; there is {found} in this directory: data.file={found} reads it" if found else ""


def _records(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    """Rows with their line numbers; a blank line is a row of one empty cell.

    Read with :mod:`csv`, since :func:`pandas.read_csv` gives no line numbers and fills up rows that are too short.
    """
    delimiter, skipped, text = split_dialect(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = skipped
    try:
        for row in reader:
            line = reader.line_num + skipped
            yield line, [cell.strip() for cell in row] or [""]
    except csv.Error as error:
        # An open quote swallows the rest of the file: the line where its row begins is the one to look at.
        raise DataError(f"{path}, line {line + 1}: not CSV ({error}; is a quote left open?)") from None


def _names(path: Path, header: list[str], rows: list[list[str]]) -> tuple[list[str], dict[str, str]]:
    """A name for every column, if the first line has names, and complaints about those that are none or not unique.

    pandas leaves the name of an index empty; where it holds dates it is read as "time".
    """
    first = next((row[0] for row in rows if any(row)), "")
    if not header[0] and not is_number(first) and parsers(first):
        header = ["time", *header[1:]]
    if all(is_number(name) or parsers(name) for name in header):
        raise DataError(f"{path}: the first line has values ({header[0]} …), but must name the columns")
    names, unusable = [], {}
    for position, name in enumerate(header, 1):
        key = name or UNNAMED.format(position)
        if not name:
            unusable[key] = f"column {position} has no name in the first line"
        elif (before := header.index(name) + 1) != position:
            key = f"{name} ({position})"
            unusable[key] = unusable[name] = f"the columns {before} and {position} are both called '{name}'"
        names.append(key)
    return names, unusable


def number(text: str, decimal: str = ".") -> float:
    """The value of a cell that is a finite number with that decimal mark; NaN for any other.

    A comma is the only mark of such a number: a point might mark thousands.
    """
    if decimal == ",":
        text = "" if "." in text else text.replace(",", ".")
    try:
        value = math.nan if "_" in text else float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def is_number(text: str, decimal: str = ".") -> bool:
    """Whether a cell is a finite number with that decimal mark."""
    return not math.isnan(number(text, decimal))
