"""Tables of numbers over time, read from CSV files; errors name the line and the column."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float

from lstmlab.data.csv_text import Cells, is_number, number, read_cells
from lstmlab.data.download import DataError
from lstmlab.data.fill import FILLS, fill_cells, insert_rows
from lstmlab.data.times import Times, parse_column, parsers, regular_step, step_name, usual_step

if TYPE_CHECKING:
    import pandas as pd

GAPS = ("error", "ignore")
EMPTY = frozenset(("", "-", "?", "na", "n/a", "nan", "null", "none"))
MOST = 1e30  # squares of z-scores of what is larger leave the range of float32
_FILL_KEYS = f"data.missing={'|'.join(FILLS)}"
_THOUSANDS = re.compile(r"-?\d{1,3}(,\d{3})+\.\d+|-?\d{1,3}(,\d{3}){2,}")
_FRACTION = re.compile(r":\d\d[.,]\d*[1-9]")
TIME_NAMES = frozenset(("date", "time", "datetime", "timestamp", "ds", "day", "month", "year", "date_time"))


class Table(NamedTuple):
    """Numbers over time."""

    names: tuple[str, ...]
    times: Times | None
    """datetime64[s] ``[rows]``, rising; None if the file has no column of times"""
    values: Float[np.ndarray, "rows columns"]
    """float64, finite"""
    step: np.timedelta64 | None
    """between rows, in seconds or calendar months; None without times, or if gaps are ignored"""


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
        columns: names of the columns to read; if empty, all except the times.
        time: name of the column of times; if None, it is found.
        missing: what to do with empty cells (also NaN, NA, null). ``error`` refuses them, ``forward`` repeats the value
            before, and ``interpolate`` draws a line from the value before to the one after, so it looks ahead. The
            last two also fill rows that are absent from regular times.
        gaps: ``error`` refuses times that are not one step apart; ``ignore`` takes rows as they come, as for trading
            days.

    Raises:
        DataError: one line that names file, line and column, and says what would be right.
    """
    cells = read_cells(Path(path))
    time = _time_column(cells, time)
    names = _value_columns(cells, columns, time)
    times = None if time is None else _times(cells, time)
    values = _numbers(cells, names, missing)
    step = None
    if times is not None and gaps == "error":
        times, values, step = _regular(cells, times, values, missing)
    return Table(tuple(names), times, np.array(values, np.float64, order="C"), step)


def _time_column(cells: Cells, name: str | None) -> str | None:
    """Name of the column of times; None if the file has none."""
    if name is not None:
        return _known(cells, name)
    first = dict(cells.frame.iloc[0])
    dated = [title for title, cell in first.items() if not is_number(cell) and parsers(cell)]
    named = [title for title, cell in first.items() if title.lower() in TIME_NAMES and parsers(cell)]
    return next(iter([*[title for title in dated if title in named], *dated, *named]), None)


def _value_columns(cells: Cells, columns: Sequence[str], time: str | None) -> list[str]:
    names = [_known(cells, name) for name in columns] or [name for name in cells.frame if name != time]
    if not names:
        raise DataError(f"{cells.path} has no column besides the times, '{time}'")
    if time in names:
        raise DataError(f"{cells.path}: column '{time}' holds the times, and cannot be a value too")
    return names


def _known(cells: Cells, name: str) -> str:
    if name not in cells.frame:
        raise unknown_column(cells.path, name, list(cells.frame))
    return name


def unknown_column(path: str | Path, name: str, known: Sequence[str]) -> DataError:
    """The error for a column that a file does not have."""
    near = difflib.get_close_matches(name, known, n=1)
    meant = f"; did you mean '{near[0]}'?" if near else ""
    return DataError(f"{path} has no column '{name}'{meant} (columns: {', '.join(known)})")


def _times(cells: Cells, column: str) -> Times:
    texts = cells.frame[column].tolist()
    times, failed = parse_column(texts)
    if times is None and failed < len(texts):
        raise DataError(
            f"{cells.where(failed, column)}: '{texts[failed]}' is not a time as in the rows above, or none that is "
            "known; write 2020-01-31 or 2020-01-31 12:00:00"
        )
    if times is None:
        raise DataError(f"{cells.where(0, column)}: '{texts[0]}' can be read in two ways; write dates as 2020-01-31")
    finer = next((row for row, text in enumerate(texts) if _FRACTION.search(text)), None)
    if finer is not None:
        raise DataError(
            f"{cells.where(finer, column)}: '{texts[finer]}' has a part of a second, but times are read in whole "
            "seconds; without that column the rows count as steps"
        )
    back = np.flatnonzero(np.diff(times) <= np.timedelta64(0, "s"))
    if len(back):
        row = int(back[0]) + 1
        what = "repeats" if times[row] == times[row - 1] else "comes before"
        raise DataError(f"{cells.where(row, column)}: {texts[row]} {what} {texts[row - 1]} above it; times must rise")
    return times


def _numbers(cells: Cells, names: list[str], missing: str) -> pd.DataFrame:
    """Values as float64, with empty cells filled as ``missing`` says."""
    texts = cells.frame.loc[:, names]
    empty = texts.map(lambda text: text.lower() in EMPTY)
    values = texts.map(number).astype(np.float64)
    wrong = np.argwhere((values.isna() & ~empty | (values.abs() > MOST)).to_numpy())
    if len(wrong):
        row, column = wrong[0]
        raise DataError(f"{cells.where(row, names[column])}: {_complaint(texts.iat[row, column], row, len(names))}")
    holes = np.argwhere(empty.to_numpy())
    if not len(holes):
        return values
    row, column = holes[0]
    place = cells.where(row, names[column])
    if missing == "error":
        more = f", and so are {len(holes) - 1} more" if len(holes) > 1 else ""
        raise DataError(f"{place}: the cell is empty{more}; fill it, or set {_FILL_KEYS}")
    if row == 0:
        raise DataError(f"{place}: the first cell is empty, and there is nothing before it to fill it with")
    return fill_cells(values, missing)


def _complaint(text: str, row: int, columns: int) -> str:
    """What is wrong with a cell that is neither empty nor a usable number, and what to do about it."""
    if is_number(text):
        return (
            f"{text} is too large to compute with (at most {MOST:g}); where it stands for no value, leave the cell "
            f"empty and set {_FILL_KEYS}"
        )
    hint = ""
    if _THOUSANDS.fullmatch(text):
        hint = f" (write {text.replace(',', '')})"
    elif is_number(text.replace(",", ".")):
        hint = f" (write {text.replace(',', '.')})"
    elif row == 0 and columns > 1:
        hint = "; data.columns=[a,b] reads some columns alone"
    return f"'{text}' is not a number{hint}"


def _regular(
    cells: Cells, times: Times, values: pd.DataFrame, missing: str
) -> tuple[Times, pd.DataFrame, np.timedelta64]:
    """Times, values and step of a table whose rows are one step apart, or are so once absent rows are filled in."""
    step, row = regular_step(times)
    if step is not None:
        return times, values, step
    usual = usual_step(times)
    filled = None if missing == "error" else insert_rows(times, values, missing)
    if filled is None:
        raise DataError(
            f"{cells.path}, line {cells.frame.index[row]}: {step_name(times[row] - times[row - 1])} after the row "
            f"before, but most rows are {step_name(usual)} apart; {_FILL_KEYS} fills absent rows, data.gaps=ignore "
            "takes rows as they come"
        )
    return *filled, usual
