"""Tables of numbers over time, read from CSV files; what is wrong with a file is said with its line."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from lstmlab.data.csv_cells import Cells, is_number, read_cells
from lstmlab.data.download import DataError
from lstmlab.data.fill import FILLS, fill_cells, insert_rows
from lstmlab.data.times import Times, parse_column, parsers, regular_step, step_name

GAPS = ("error", "ignore")
EMPTY = frozenset(("", "-", "?", "na", "n/a", "nan", "null", "none"))
MOST = 1e30  # squares of z-scores of what is larger leave the range of float32
_THOUSANDS = re.compile(r"-?\d{1,3}(,\d{3})+\.\d+|-?\d{1,3}(,\d{3}){2,}")
_FRACTION = re.compile(r":\d\d[.,]\d*[1-9]")
TIME_NAMES = frozenset(("date", "time", "datetime", "timestamp", "ds", "day", "month", "year", "date_time"))


class Table(NamedTuple):
    """Numbers over time."""

    names: tuple[str, ...]
    times: Times | None
    """datetime64[s] ``[rows]``, rising; None when the file has no column of times"""
    values: Float[np.ndarray, "rows columns"]
    """float64, finite"""
    step: np.timedelta64 | None
    """between rows, in seconds or calendar months; None without times, or where gaps are ignored"""


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
    cells = read_cells(Path(path))
    at = _time_column(cells, time)
    chosen = _choose(cells, columns, at)
    times = None if at is None else _times(cells, at)
    values = _numbers(cells, chosen, missing)
    if missing != "error":
        values = fill_cells(values, missing, lambda row, column: cells.where(row, chosen[column]))
    step = None
    if times is not None and gaps == "error":
        times, values, step = _regular(cells, times, values, missing)
    return Table(tuple(cells.header[i] for i in chosen), times, values, step)


def _time_column(cells: Cells, name: str | None) -> int | None:
    """Position of the column of times; None when the file has none."""
    if name is not None:
        return _position(cells, name)
    first = [cell.strip() for cell in cells.rows[0]]
    dated = [i for i, cell in enumerate(first) if not is_number(cell) and parsers(cell)]
    named = [i for i, title in enumerate(cells.header) if title.lower() in TIME_NAMES and parsers(first[i])]
    return next(iter([*[i for i in dated if i in named], *dated, *named]), None)


def _choose(cells: Cells, columns: Sequence[str], at: int | None) -> list[int]:
    chosen = [_position(cells, name) for name in columns]
    chosen = chosen or [i for i in range(len(cells.header)) if i != at]
    if not chosen:
        raise DataError(f"{cells.path} has no column besides the times, '{cells.header[0]}'")
    if at in chosen:
        raise DataError(f"{cells.path}: column '{cells.header[at]}' holds the times, and cannot be a value too")
    return chosen


def _position(cells: Cells, name: str) -> int:
    if name not in cells.header:
        raise unknown_column(cells.path, name, cells.header)
    return cells.header.index(name)


def unknown_column(path: str | Path, name: str, known: Sequence[str]) -> DataError:
    """The error for a column that a file does not have."""
    near = difflib.get_close_matches(name, known, n=1)
    meant = f"; did you mean '{near[0]}'?" if near else ""
    return DataError(f"{path} has no column '{name}'{meant} (columns: {', '.join(known)})")


def _times(cells: Cells, at: int) -> Times:
    texts = [row[at].strip() for row in cells.rows]
    times, failed = parse_column(texts)
    if times is None and failed < len(texts):
        raise DataError(
            f"{cells.where(failed, at)}: '{texts[failed]}' is not a time as in the rows above, or none that is "
            "known; write 2020-01-31 or 2020-01-31 12:00:00"
        )
    if times is None:
        raise DataError(f"{cells.where(0, at)}: '{texts[0]}' can be read in two ways; write dates as 2020-01-31")
    finer = next((row for row, text in enumerate(texts) if _FRACTION.search(text)), None)
    if finer is not None:
        raise DataError(
            f"{cells.where(finer, at)}: '{texts[finer]}' has a part of a second, but times are read in whole seconds; "
            "without that column the rows count as steps"
        )
    back = np.flatnonzero(np.diff(times) <= np.timedelta64(0, "s"))
    if len(back):
        row = int(back[0]) + 1
        what = "repeats" if times[row] == times[row - 1] else "comes before"
        raise DataError(f"{cells.where(row, at)}: {texts[row]} {what} {texts[row - 1]} above it; times must rise")
    return times


def _regular(cells: Cells, times: Times, values: np.ndarray, missing: str) -> tuple[Times, np.ndarray, np.timedelta64]:
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


def _numbers(cells: Cells, chosen: list[int], missing: str) -> np.ndarray:
    """Values as float64; NaN where cells are empty, if that is allowed."""
    values = np.empty((len(cells.rows), len(chosen)))
    for row, texts in enumerate(cells.rows):
        for column, i in enumerate(chosen):
            text = texts[i].strip()
            if text.lower() in EMPTY:
                values[row, column] = np.nan
            elif is_number(text):
                values[row, column] = float(text)
                if abs(values[row, column]) > MOST:
                    raise DataError(
                        f"{cells.where(row, i)}: {text} is too large to compute with (at most {MOST:g}); where it "
                        f"stands for no value, leave the cell empty and set data.missing={'|'.join(FILLS)}"
                    )
            else:
                hint = ""
                if _THOUSANDS.fullmatch(text):
                    hint = f" (write {text.replace(',', '')})"
                elif is_number(text.replace(",", ".")):
                    hint = f" (write {text.replace(',', '.')})"
                elif cells.lines[row] == cells.lines[0] and len(chosen) > 1:
                    hint = "; data.columns=[a,b] reads some columns alone"
                raise DataError(f"{cells.where(row, i)}: '{text}' is not a number{hint}")
    empty = np.argwhere(np.isnan(values))
    if missing == "error" and len(empty):
        row, column = empty[0]
        more = f", and so are {len(empty) - 1} more" if len(empty) > 1 else ""
        raise DataError(
            f"{cells.where(row, chosen[column])}: the cell is empty{more}; fill it, or set "
            f"data.missing={'|'.join(FILLS)}"
        )
    return values
