"""Tables of numbers over time, read from CSV files; errors name the line and the column."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float

from lstmlab.data.clock import Clock, Times, seconds_if_whole
from lstmlab.data.columns import choose_columns, unknown_column
from lstmlab.data.csv_text import Cells, read_cells
from lstmlab.data.download import DataError
from lstmlab.data.fill import insert_rows
from lstmlab.data.numbers import FILL_KEYS, read_numbers
from lstmlab.data.time_columns import TimeRules, read_times
from lstmlab.data.times import regular_step, step_name, stepped, usual_step

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["GAPS", "Table", "read_table", "unknown_column"]

GAPS = ("error", "ignore")


class Table(NamedTuple):
    """Numbers over time."""

    names: tuple[str, ...]
    times: Times | None
    """datetime64[s] ``[rows]``, or datetime64[us] where seconds have parts, rising; None if the file has no times"""
    values: Float[np.ndarray, "rows columns"]
    """float64, finite"""
    step: np.timedelta64 | None
    """between rows, in seconds, microseconds or calendar months; None without times, or if gaps are ignored"""
    clock: Clock = Clock()
    """of the times"""

    @property
    def local_times(self) -> Times | None:
        """The times that a clock on the wall shows, for plots and features of the calendar."""
        return None if self.times is None else self.clock.local(self.times)

    def written_times(self) -> list[str]:
        """The times as text, with their offsets from UTC where they are known; or the numbers of the rows, from 0."""
        return list(map(str, range(len(self.values)))) if self.times is None else self.clock.written(self.times)


def read_table(
    path: str | Path,
    *,
    columns: Sequence[str] = (),
    time: str | Sequence[str] | None = None,
    rules: TimeRules = TimeRules(),  # noqa: B008 - immutable
    missing: str = "error",
    gaps: str = "error",
    na: Sequence[str] = (),
    decimal: str = ".",
    keep: Sequence[str] = (),
) -> Table:
    """Read a CSV file: a line of column names, then one line per point in time, in UTF-8; also compressed by
    gzip, bzip2 or xz.

    The delimiter is a comma, semicolon, tab or bar (:mod:`lstmlab.data.dialect`). The column of times is found by its
    dates: ISO 8601, one of :data:`lstmlab.data.time_formats.FORMATS`, digits such as 2020013112, or Unix time. A row
    that is empty counts as a row.

    Args:
        path: the file.
        columns: names of the columns to read; if empty, all that hold measurements. Row numbers and parts of the date
            are left out then, which is logged.
        time: name of the column of times, or of those that make up a date and a time; if None, it is found; "none"
            reads a file without its times.
        rules: how times are written, and in which zone.
        missing: what to do with empty cells (also NaN, NA, null). ``error`` refuses them, ``forward`` repeats the value
            before, and ``interpolate`` draws a line from the value before to the one after, so it looks ahead. The
            last two also fill rows that are absent from regular times.
        gaps: ``error`` refuses times that are not one step apart; ``ignore`` takes rows as they come, as for trading
            days.
        na: further cells that count as empty.
        decimal: the decimal mark of values, a point or a comma. Cells may have no marks of thousands.
        keep: columns that are read even if they are no measurements.

    Raises:
        DataError: one line that names file, line and column, and says what would be right.
    """
    cells = read_cells(Path(path))
    chosen = choose_columns(cells, columns, time, rules.form, keep)
    times, clock = None, Clock()
    if chosen.times:
        cells = cells.without_blank_lines()  # a time says where a row belongs
        times, clock = read_times(cells, chosen.times, rules)
    values = read_numbers(cells, chosen.values, missing, na, decimal)
    step = None
    if times is not None and gaps == "error":
        times, values, step = _regular(cells, chosen.times[0], times, clock, values, missing)
    return Table(tuple(chosen.values), times, np.array(values, np.float64, order="C"), step, clock)


def _regular(
    cells: Cells, column: str, times: Times, clock: Clock, values: pd.DataFrame, missing: str
) -> tuple[Times, pd.DataFrame, np.timedelta64]:
    """Times, values and step of a table whose rows are one step apart, or are so once absent rows are filled in."""
    steps = stepped(times, clock)
    step, row = regular_step(steps)
    if step is not None:
        return times, values, step
    usual = usual_step(steps)
    filled = None if missing == "error" else insert_rows(steps, values, missing)
    if filled is not None:
        after, rows = filled
        return (after if steps is times else seconds_if_whole(clock.stored(after))), rows, usual
    apart = steps[row] - steps[row - 1]
    keys = f"{FILL_KEYS} fills absent rows, data.gaps=ignore takes rows as they come"
    finer = np.flatnonzero(times != times.astype("datetime64[s]"))
    if 0 < 2 * len(finer) < len(times):
        raise DataError(
            f"{cells.where(int(finer[0]), column)}: '{cells.frame[column].iat[finer[0]]}' has a part of a second, "
            f"unlike most rows, and times are not one step apart; round it, or {keys}"
        )
    raise DataError(
        f"{cells.path}, line {cells.frame.index[row]}: {step_name(apart)} after the row before, but most rows are "
        f"{step_name(usual)} apart; {keys}{_zone_hint(clock, apart, usual)}"
    )


def _zone_hint(clock: Clock, apart: np.timedelta64, usual: np.timedelta64) -> str:
    """Where rows are an hour more or less apart, clocks may have been changed."""
    off = apart - usual
    if clock.zone is None and off != np.timedelta64(0) and abs(off) == np.timedelta64(1, "h"):
        return "; where clocks were changed, give their zone, such as data.timezone=Europe/Berlin"
    return ""
