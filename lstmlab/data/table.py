"""Tables of numbers over time, read from CSV files; what is wrong with a file is said with its line."""

from __future__ import annotations

import csv
import difflib
import gzip
import math
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from lstmlab.data.download import DataError
from lstmlab.data.fill import FILLS, fill_cells, insert_rows
from lstmlab.data.times import Times, parse_column, parsers, regular_step, step_name

GAPS = ("error", "ignore")
EMPTY = frozenset(("", "-", "?", "na", "n/a", "nan", "null", "none"))
TIME_NAMES = frozenset(("date", "time", "datetime", "timestamp", "ds", "day", "month", "year", "date_time"))
_BINARY = {
    b"PK\x03\x04": "a ZIP archive or spreadsheet", b"PAR1": "a Parquet file",
    b"\xff\xfe": "UTF-16 text", b"\xfe\xff": "UTF-16 text", b"%PDF": "a PDF", b"\x89PNG": "a picture",
}  # fmt: skip


class Table(NamedTuple):
    """Numbers over time."""

    names: tuple[str, ...]
    times: Times | None
    """datetime64[s] ``[rows]``, rising; None when the file has no column of times"""
    values: Float[np.ndarray, "rows columns"]
    """float64, finite"""
    step: np.timedelta64 | None
    """between rows, in seconds or calendar months; None without times, or where gaps are ignored"""


class _Cells(NamedTuple):
    path: Path
    header: list[str]
    rows: list[list[str]]
    lines: list[int]


def read_table(
    path: str | Path,
    *,
    columns: Sequence[str] = (),
    time: str | None = None,
    missing: str = "error",
    gaps: str = "error",
) -> Table:
    """Read a CSV file, also gzip-compressed: a line of column names, then one line per point in time, in UTF-8.

    The delimiter is a comma, semicolon or tab, whichever the first line has most. The column of times is found by
    its dates (ISO 8601 or one of :data:`lstmlab.data.times.FORMATS`, or Unix seconds below a name such as
    ``timestamp``).

    Args:
        path: the file.
        columns: names of the columns to read; none: all but that of the times.
        time: name of the column of times; None: found.
        missing: what becomes of empty cells (also NaN, NA, null): ``error``; ``forward`` repeats the value before;
            ``interpolate`` draws a line from the value before to the one after, so it looks ahead. Rows that are
            absent from regular times are then filled too.
        gaps: ``error`` refuses times that are not one step apart; ``ignore`` takes rows as they come, as for trading
            days.

    Raises:
        DataError: one line that names file, line and column, and what would be right.
    """
    cells = _read_cells(Path(path))
    at = _time_column(cells, time)
    chosen = _choose(cells, columns, at)
    times = None if at is None else _times(cells, at)
    values = _numbers(cells, chosen, missing)
    if missing != "error":
        values = fill_cells(values, missing, lambda row, column: _where(cells, row, chosen[column]))
    step = None
    if times is not None and gaps == "error":
        times, values, step = _regular(cells, times, values, missing)
    return Table(tuple(cells.header[i] for i in chosen), times, values, step)


def _read_cells(path: Path) -> _Cells:
    """All cells as text, rows of one length."""
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
    cells = _Cells(path, header, rows, lines)
    _check_header(cells)
    if len(rows) < 2:
        raise DataError(f"{path} has {len(rows) or 'no'} row{'s' * (not rows)} of data: it needs at least two")
    return cells


def _records(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, with their line numbers."""
    first = text.lstrip().split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, row
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: not CSV ({error})") from None


def _check_header(cells: _Cells) -> None:
    path, header = cells.path, cells.header
    if not header[0] and cells.rows and parsers(cells.rows[0][0].strip()):
        header[0] = "time"  # as pandas leaves its index
    if all(_is_number(name) for name in header):
        raise DataError(f"{path}: the first line has numbers ({header[0]} …), but must name the columns")
    for position, name in enumerate(header, 1):
        if not name:
            raise DataError(f"{path}: column {position} has no name in the first line")
        if header.index(name) + 1 != position:
            raise DataError(f"{path}: the columns {header.index(name) + 1} and {position} are both called '{name}'")


def _time_column(cells: _Cells, name: str | None) -> int | None:
    """Position of the column of times; None when the file has none."""
    if name is not None:
        return _position(cells, name)
    first = [cell.strip() for cell in cells.rows[0]]
    dated = [i for i, cell in enumerate(first) if not _is_number(cell) and parsers(cell)]
    named = [i for i, title in enumerate(cells.header) if title.lower() in TIME_NAMES and parsers(first[i])]
    return next(iter([*[i for i in dated if i in named], *dated, *named]), None)


def _choose(cells: _Cells, columns: Sequence[str], at: int | None) -> list[int]:
    chosen = [_position(cells, name) for name in columns]
    chosen = chosen or [i for i in range(len(cells.header)) if i != at]
    if not chosen:
        raise DataError(f"{cells.path} has no column besides the times, '{cells.header[0]}'")
    if at in chosen:
        raise DataError(f"{cells.path}: column '{cells.header[at]}' holds the times, and cannot be a value too")
    return chosen


def _position(cells: _Cells, name: str) -> int:
    if name not in cells.header:
        raise unknown_column(cells.path, name, cells.header)
    return cells.header.index(name)


def unknown_column(path: str | Path, name: str, known: Sequence[str]) -> DataError:
    """The error for a column that a file does not have."""
    near = difflib.get_close_matches(name, known, n=1)
    meant = f"; did you mean '{near[0]}'?" if near else ""
    return DataError(f"{path} has no column '{name}'{meant} (columns: {', '.join(known)})")


def _times(cells: _Cells, at: int) -> Times:
    texts = [row[at].strip() for row in cells.rows]
    times, failed = parse_column(texts)
    if times is None and failed < len(texts):
        raise DataError(
            f"{_where(cells, failed, at)}: '{texts[failed]}' is not a time as in the rows above, or none that is "
            "known; write 2020-01-31 or 2020-01-31 12:00:00"
        )
    if times is None:
        raise DataError(f"{_where(cells, 0, at)}: '{texts[0]}' can be read in two ways; write dates as 2020-01-31")
    back = np.flatnonzero(np.diff(times) <= np.timedelta64(0, "s"))
    if len(back):
        row = int(back[0]) + 1
        what = "repeats" if times[row] == times[row - 1] else "comes before"
        raise DataError(f"{_where(cells, row, at)}: {texts[row]} {what} {texts[row - 1]} above it; times must rise")
    return times


def _regular(cells: _Cells, times: Times, values: np.ndarray, missing: str) -> tuple[Times, np.ndarray, np.timedelta64]:
    step, row = regular_step(times)
    if step is None and missing != "error":
        filled = insert_rows(times, values, missing)
        if filled is not None:
            return filled
    if step is None:
        usual = np.unique(np.diff(times), return_counts=True)
        expected = step_name(usual[0][np.argmax(usual[1])])
        raise DataError(
            f"{cells.path}, line {cells.lines[row]}: {step_name(times[row] - times[row - 1])} after the row before, "
            f"but most rows are {expected} apart; data.missing=forward|interpolate fills absent rows, "
            "data.gaps=ignore takes rows as they come"
        )
    return times, values, step


def _numbers(cells: _Cells, chosen: list[int], missing: str) -> np.ndarray:
    """Values as float64; NaN where cells are empty, if that is allowed."""
    values = np.empty((len(cells.rows), len(chosen)))
    for row, texts in enumerate(cells.rows):
        for column, i in enumerate(chosen):
            text = texts[i].strip()
            if text.lower() in EMPTY:
                values[row, column] = np.nan
            elif _is_number(text):
                values[row, column] = float(text)
            else:
                hint = ""
                if _is_number(text.replace(",", ".")):
                    hint = f" (write {text.replace(',', '.')})"
                elif cells.lines[row] == cells.lines[0]:
                    hint = "; data.columns=[a,b] reads some columns alone"
                raise DataError(f"{_where(cells, row, i)}: '{text}' is not a number{hint}")
    empty = np.argwhere(np.isnan(values))
    if missing == "error" and len(empty):
        row, column = empty[0]
        more = f", and so are {len(empty) - 1} more" if len(empty) > 1 else ""
        raise DataError(
            f"{_where(cells, row, chosen[column])}: the cell is empty{more}; fill it, or set "
            f"data.missing={'|'.join(FILLS)}"
        )
    return values


def _is_number(text: str) -> bool:
    try:
        return "_" not in text and math.isfinite(float(text))
    except ValueError:
        return False


def _where(cells: _Cells, row: int, column: int) -> str:
    return f"{cells.path}, line {cells.lines[row]}, column '{cells.header[column]}'"
