"""Which columns of a file are times, which are values, and which are no measurements."""

from __future__ import annotations

import difflib
import functools
import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lstmlab.data.csv_text import UNNAMED, Cells, is_number, number
from lstmlab.data.download import DataError
from lstmlab.data.time_formats import SPREADSHEET, parsers
from lstmlab.data.times import parse_column, regular_step

_log = logging.getLogger("lstmlab.data")

NO_TIMES = "none"
"""the value of ``data.time`` that reads a file without its times"""
TIME_NAMES = frozenset(("date", "time", "datetime", "timestamp", "ds", "day", "month", "year", "date_time"))
_CALENDAR = {"year": (0, 9999), "month": (1, 12), "week": (1, 53), "day": (1, 31), "weekday": (0, 7),
             "dayofweek": (0, 7), "dayofyear": (1, 366), "hour": (0, 24), "minute": (0, 60)}  # fmt: skip
_TIME_WORDS = frozenset((*TIME_NAMES, "datum", "zeit", "zeitstempel", "uhrzeit", "utc", "epoch", "fecha", "hora"))
_COUNTED = re.compile(
    r"(unnamed\W.*|(row|line|record|sample|seq|sequence)?[\W_]*(index|idx|id|no|nr|num|number|counter|#)\.?|row|rows|"
    r"row_?(names?|num)|obs|observation|seq|sequence|step|level_0)?", re.IGNORECASE,
)  # fmt: skip
"""names that are given to row numbers"""
_MANY = 20  # rows from which on a straight line of whole numbers is taken for row numbers, whatever its name
_SPREADSHEET_DAYS = (20_000, 80_000)  # the years 1954 to 2119


class Columns(NamedTuple):
    """The columns that are read."""

    times: tuple[str, ...]
    """one, or the parts of the date and the time; empty without times"""
    values: list[str]


def choose_columns(
    cells: Cells, columns: Sequence[str], time: str | Sequence[str] | None, form: str | None, keep: Sequence[str]
) -> Columns:
    """The columns that are asked for; or all that hold measurements, with a note about those that are left out.

    ``keep`` are columns that are read in any case. Raises ``DataError`` as :func:`lstmlab.data.table.read_table`.
    """
    if time is None:
        times = _found_times(cells, form)
    else:
        given = (time,) if isinstance(time, str) else tuple(time)
        times = () if given == (NO_TIMES,) else tuple(_known(cells, name) for name in given)
    names = [_known(cells, name) for name in columns] or _measured(cells, times, time, keep)
    both = next((name for name in times if name in names), None)
    if both is not None:
        raise DataError(f"{cells.path}: column '{both}' holds the times, and cannot be a value too")
    return Columns(times, names)


def unknown_column(path: str | Path, name: str, known: Sequence[str]) -> DataError:
    """The error for a column that a file does not have."""
    near = difflib.get_close_matches(name, known, n=1)
    meant = f"; did you mean '{near[0]}'?" if near else ""
    return DataError(f"{path} has no column '{name}'{meant} (columns: {', '.join(known)})")


def _known(cells: Cells, name: str) -> str:
    if name not in cells.frame:
        raise unknown_column(cells.path, name, list(cells.frame))
    if name in cells.unusable:
        raise DataError(f"{cells.path}: {cells.unusable[name]}")
    return name


def _found_times(cells: Cells, form: str | None) -> tuple[str, ...]:
    """The column of times, if the file has one: by its dates, or by its name and its numbers."""
    first = _first_cells(cells)
    dated = [title for title, cell in first.items() if not is_number(cell) and parsers(cell)]
    called = [title for title in first if title.lower() in TIME_NAMES]
    named = [title for title in called if parsers(first[title])]
    chosen = next(iter([*[title for title in dated if title in named], *dated, *named]), None)
    if form is not None:
        chosen = next(iter([*dated, *called, *[title for title in first if _has_time_word(title)]]), None)
        if chosen is None:
            raise DataError(f"{cells.path}: which column is data.time_format of? set data.time=COLUMN")
    elif chosen is None:
        chosen = next((title for place, title in enumerate(first) if _is_dates(cells, title, place)), None)
    if chosen is None and called:
        _ask_about(cells, called[0], first[called[0]])
    return () if chosen is None else (chosen,)


def _ask_about(cells: Cells, name: str, cell: str) -> None:
    """Raise ``DataError`` where a column that is called a time holds something else than numbers of rows."""
    if not is_number(cell):
        raise DataError(
            f"{cells.path}, column '{name}': '{cell}' is not a time that is known; data.time_format='%d/%m/%Y %H:%M' "
            f"(say) tells how it is written, data.time={NO_TIMES} reads the file without times"
        )
    low, high = _SPREADSHEET_DAYS
    if low <= float(cell) < high and name.lower() not in _CALENDAR:
        raise DataError(
            f"{cells.path}, column '{name}': {cell} may be a day as spreadsheets count them; "
            f"data.time_format={SPREADSHEET} reads it so, data.time={NO_TIMES} reads the file without times"
        )


def _is_dates(cells: Cells, name: str, place: int) -> bool:
    """Whether a column of numbers, the first of the file or one with a telling name, is dates or Unix time."""
    return (place == 0 or _has_time_word(name)) and _rising_dates(_filled(cells, name))


@functools.lru_cache(maxsize=64)
def _rising_dates(texts: tuple[str, ...]) -> bool:
    if len(texts) < 2 or any(len(text) < 6 for text in texts):
        return False
    times, _ = parse_column(texts)
    if times is None or (np.diff(times) <= np.timedelta64(0)).any():
        return False
    return all(text.isdigit() for text in texts) and regular_step(times)[0] is not None


def _measured(cells: Cells, times: Sequence[str], time: object, keep: Sequence[str]) -> list[str]:
    """All columns but the times and those that are no measurements; tells which these are."""
    reasons: dict[str, str] = {}
    for name in cells.frame:
        if name not in times and name not in keep and (reason := _no_measurement(cells, name, time)):
            reasons[name] = reason
    names = [name for name in cells.frame if name not in times and name not in reasons]
    for name in names:
        _known(cells, name)
    told = ", ".join(f"'{name}' ({reason})" for name, reason in reasons.items())
    if not names and reasons:
        raise DataError(f"{cells.path} has no column of measurements: {told}; data.columns=[a,b] reads columns anyway")
    if not names:
        raise DataError(f"{cells.path} has no column besides the times, '{', '.join(times)}'")
    if told:
        _tell(f"{cells.path}: left out {told}; data.columns=[a,b] names what is read")
    return names


def _no_measurement(cells: Cells, name: str, time: object) -> str:
    """Why a column is no measurement; empty if it may be one."""
    texts = _filled(cells, name)
    if time == NO_TIMES and texts and not is_number(texts[0]) and parsers(texts[0]):
        return "holds times"
    values = np.array([number(text) for text in texts])
    if len(texts) != int((~cells.blank).sum()) or len(texts) < 2 or np.isnan(values).any():
        return ""
    title = "" if name in cells.unusable and name == _unnamed(cells, name) else name.strip().lower()
    steps, whole = np.diff(values), bool((values == np.floor(values)).all())
    one_way = bool((steps > 0).all() or (steps == -1).all())
    if title in TIME_NAMES and one_way:
        return "counts up, but holds no dates"
    low, high = _CALENDAR.get(title, (1, 0))
    if whole and ((low <= values) & (values <= high)).all():
        return "is a part of the date"
    if whole and one_way and (_COUNTED.fullmatch(title) or (len(values) >= _MANY and (steps == steps[0]).all())):
        return "numbers the rows"
    return "holds dates" if whole and one_way and _rising_dates(texts) else ""


def _unnamed(cells: Cells, name: str) -> str:
    return UNNAMED.format(name.rsplit(" ", 1)[-1])


def _has_time_word(name: str) -> bool:
    words = re.split(r"[\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower())
    return any(word in _TIME_WORDS for word in words)


def _first_cells(cells: Cells) -> dict[str, str]:
    """Of every column the first cell that is not empty."""
    return {name: next(iter(_filled(cells, name)), "") for name in cells.frame}


def _filled(cells: Cells, name: str) -> tuple[str, ...]:
    return tuple(text for text in cells.frame[name] if text)


@functools.lru_cache(maxsize=256)
def _tell(message: str) -> None:
    """Log a note, once in a process: the jobs of a sweep read the same file."""
    _log.warning(message)
