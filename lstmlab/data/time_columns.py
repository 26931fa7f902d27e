"""The times of a table, from one column or from several."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lstmlab.data.clock import Clock, ClockError, Times, set_clock
from lstmlab.data.csv_text import Cells
from lstmlab.data.download import DataError
from lstmlab.data.time_formats import TOO_FINE
from lstmlab.data.times import parse_times

_PARTS = ("year", "month", "day", "hour", "minute", "second")
_PART_NAMES = {"yr": "year", "yyyy": "year", "mo": "month", "mon": "month", "mm": "month", "dd": "day", "hr": "hour",
               "hh": "hour", "min": "minute", "sec": "second", "ss": "second"}  # fmt: skip


class TimeRules(NamedTuple):
    """How times are read: ``data.time_format``, ``data.timezone`` and ``data.ambiguous_time``."""

    form: str | None = None
    zone: str | None = None
    ambiguous: str = "error"


def read_times(cells: Cells, columns: Sequence[str], rules: TimeRules) -> tuple[Times, Clock]:
    """Rising times and their clock; raises ``DataError`` naming line and column."""
    texts = _joined(cells, columns)
    name = "', '".join(columns)
    _check_filled(cells, texts, name)
    moments, failed = parse_times(texts, rules.form)
    if moments is None and failed < len(texts):
        known = f"of the form {rules.form}" if rules.form else "as in the rows above, or none that is known"
        raise DataError(
            f"{cells.where(failed, name)}: '{texts[failed]}' is not a time {known}; write 2020-01-31 or "
            "2020-01-31 12:00:00, or set data.time_format"
        )
    if moments is None:
        raise DataError(
            f"{cells.where(0, name)}: '{texts[0]}' can be read in two ways; write dates as 2020-01-31, or set "
            "data.time_format, such as '%d/%m/%Y'"
        )
    finer = next((row for row, text in enumerate(texts) if TOO_FINE.search(text) and ":" in text), None)
    if finer is not None:
        raise DataError(f"{cells.where(finer, name)}: '{texts[finer]}' is finer than a microsecond: round it")
    try:
        times, clock = set_clock(moments, rules.zone, rules.ambiguous)
    except ClockError as error:
        raise DataError(f"{cells.where(error.row, name)}: '{texts[error.row]}': {error}") from None
    back = np.flatnonzero(np.diff(times) <= np.timedelta64(0, "s"))
    if len(back):
        row = int(back[0]) + 1
        what = "repeats" if times[row] == times[row - 1] else "comes before"
        raise DataError(
            f"{cells.where(row, name)}: {texts[row]} {what} {texts[row - 1]} above it; times must rise"
            f"{_rising_hint(cells, columns, clock, times, row)}"
        )
    return times, clock


def _check_filled(cells: Cells, texts: Sequence[str], name: str) -> None:
    row = next((row for row, text in enumerate(texts) if not text), None)
    if row is not None:
        raise DataError(f"{cells.where(row, name)}: the time of the row is empty")


def _rising_hint(cells: Cells, columns: Sequence[str], clock: Clock, times: Times, row: int) -> str:
    """What may be the reason: a time of day in another column, or clocks that were put back."""
    if len(columns) == 1:
        others = [other for other in cells.frame if other != columns[0] and _is_time_part(cells, other)]
        if others:
            return f"; where '{others[0]}' belongs to it, set data.time=[{','.join((columns[0], *others))}]"
    hour_back = times[row - 1] - times[row] < np.timedelta64(61, "m")
    if clock.offset is None and hour_back and times[row].astype("datetime64[D]") != times[row]:
        return "; where clocks were put back, give their zone, such as data.timezone=Europe/Berlin"
    return ""


def _is_time_part(cells: Cells, name: str) -> bool:
    text = str(cells.frame[name].iloc[0])
    return _part(name) in _PARTS[:-1] or bool(re.fullmatch(r"\d\d?[:.]\d\d([:.]\d\d)?", text))


def _joined(cells: Cells, columns: Sequence[str]) -> list[str]:
    """One text per row: the cells of a column, or parts of the date and the time put together."""
    texts = [cells.frame[name].tolist() for name in columns]
    if len(columns) == 1:
        return texts[0]
    for name, column in zip(columns, texts, strict=True):
        _check_filled(cells, column, name)
    whole = [[re.sub(r"\.0+$", "", text) for text in column] for column in texts]
    if len(columns) > 2 and all(text.isdigit() for column in whole for text in column):
        return _from_parts(cells, columns, whole)
    clock = [_time_of_day(column) for column in whole[1:]]
    return [" ".join(parts) for parts in zip(whole[0], *clock, strict=True)]


def _from_parts(cells: Cells, columns: Sequence[str], texts: list[list[str]]) -> list[str]:
    """Numbers of year, month, day and so on, by the names of the columns or else in this order."""
    named = [_part(name) for name in columns]
    order = named if set(named) <= set(_PARTS) and len(set(named)) == len(named) else list(_PARTS[: len(columns)])
    if set(order) != set(_PARTS[: len(order)]):
        missing = next(part for part in _PARTS if part not in order)
        raise DataError(f"{cells.path}: data.time=[{','.join(columns)}] lacks the {missing}")
    rows = [dict(zip(order, map(int, row), strict=True)) for row in zip(*texts, strict=True)]
    filled = [{"month": 1, "day": 1, "hour": 0, "minute": 0, "second": 0} | row for row in rows]
    return ["{year:04d}-{month:02d}-{day:02d} {hour:02d}:{minute:02d}:{second:02d}".format(**row) for row in filled]


def _part(name: str) -> str:
    lowered = name.strip().lower()
    return _PART_NAMES.get(lowered, lowered)


def _time_of_day(texts: list[str]) -> list[str]:
    """Hours (7), hours and minutes (730 or 0730), and 18.00.00 as 18:00:00; others as they are."""
    if all(re.fullmatch(r"\d\d?\.\d\d(\.\d\d)?", text) for text in texts):
        return [text.replace(".", ":") for text in texts]
    if not all(re.fullmatch(r"\d{1,4}", text) for text in texts):
        return [re.sub(r"^(\d):", r"0\1:", text) for text in texts]
    if max(map(int, texts)) <= 24 and max(map(len, texts)) <= 2:
        return [f"{int(text):02d}:00" for text in texts]
    return [f"{int(text) // 100:02d}:{int(text) % 100:02d}" for text in texts]
