"""Points in time in tables, and the step between them: seconds, or whole calendar months."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from lstmlab.data.clock import Clock, Times, seconds_if_whole, set_clock
from lstmlab.data.time_formats import digits, parser_of, parsers

# pandas is imported where it is used: it takes half a second, and `lstmlab cells` imports this file.

DAY = np.timedelta64(1, "D")


def parse_times(cells: Sequence[str], form: str | None = None) -> tuple[list[datetime] | None, int]:
    """The cells as points in time, all of the same format: ``form``, or one that is found.

    Some columns can be read in several formats: 01/02/2020 is in January or in February. Then the one is taken that
    puts the times one step apart; and plain digits that are dates in every row are dates. Returns None and the number
    of cells if that does not decide, and None and the index of the first cell that the best format cannot read if no
    format reads all cells.
    """
    readings: list[tuple[list[datetime], Times]] = []
    failed = 0
    for parse in [parser_of(form)] if form else parsers(cells[0]):
        moments: list[datetime] = []
        try:
            moments.extend(map(parse, cells))
        except (ValueError, OverflowError):
            failed = max(failed, len(moments))  # extend() keeps what came before the cell that failed
            continue
        aware = [moment.tzinfo is not None for moment in moments]
        if any(aware) != all(aware):
            failed = max(failed, aware.index(not aware[0]))
            continue
        times, _ = set_clock(moments, None, "error")
        if parse is digits:
            return moments, len(cells)
        if not any(np.array_equal(times, known) for _, known in readings):
            readings.append((moments, times))
    if len(readings) > 1:
        readings = [reading for reading in readings if regular_step(reading[1])[0] is not None]
    return (readings[0][0], len(cells)) if len(readings) == 1 else (None, len(cells) if readings else failed)


def parse_column(cells: Sequence[str]) -> tuple[Times | None, int]:
    """As :func:`parse_times`, as datetime64: as they are written, or in UTC if their offsets from UTC differ."""
    moments, failed = parse_times(cells)
    return (None if moments is None else set_clock(moments, None, "error")[0]), failed


def usual_step(times: Times) -> np.timedelta64:
    """The most frequent difference between neighbours, the smallest such difference if there are several."""
    differences, counts = np.unique(np.diff(times), return_counts=True)
    step = differences[np.argmax(counts)]
    return step.astype("timedelta64[s]") if step == step.astype("timedelta64[s]") else step


def regular_step(times: Times) -> tuple[np.timedelta64 | None, int]:
    """The step of rising times, in seconds or months, and the row count; or None and the first row off the step.

    The step is the most frequent difference, so that a gap is found where it is.
    """
    if len(times) < 2:
        return None, len(times)
    months = np.diff(times.astype("datetime64[M]"))
    if len(months) > 1 and (months == months[0]).all() and months[0] > np.timedelta64(0) and _same_day(times):
        return months[0], len(times)
    step = usual_step(times)
    off = np.flatnonzero(np.diff(times) != step)
    if len(off) or step <= np.timedelta64(0):
        return None, int(off[0]) + 1 if len(off) else 1
    return step, len(times)


def _same_day(times: Times) -> bool:
    """Whether all times are equally far into their months, or all on the last days of their months."""
    into_month = times - times.astype("datetime64[M]").astype("datetime64[s]")
    return bool((into_month == into_month[0]).all()) or _month_ends(times)


def _month_ends(times: Times) -> bool:
    import pandas as pd

    return bool(pd.DatetimeIndex(times).is_month_end.all())


def following(times: Times, step: np.timedelta64, count: int) -> Times:
    """The ``count`` points in time after the last one, ``step`` apart."""
    ahead = np.arange(1, count + 1)
    if np.datetime_data(step.dtype)[0] != "M":
        return seconds_if_whole(times[-1] + ahead * step)
    import pandas as pd

    months, last = int(step.astype(np.int64)), pd.Timestamp(times[-1])
    offset = pd.offsets.MonthEnd if last.is_month_end else lambda n: pd.DateOffset(months=n)
    return seconds_if_whole(pd.DatetimeIndex([last + offset(int(n) * months) for n in ahead]).to_numpy())


def stepped(times: Times, clock: Clock) -> Times:
    """The times on the clock that is followed from row to row: days and months are those of the local clock, which may
    be 23 or 25 hours long, and shorter steps take the same time on every day.
    """
    local = clock.local(times)
    step = usual_step(local) if len(times) > 1 else DAY / 2
    return local if step > np.timedelta64(0) and step % DAY == np.timedelta64(0) else times


def following_on(clock: Clock, times: Times, step: np.timedelta64, count: int) -> Times:
    """As :func:`following`, for times as a table with this clock stores them."""
    steps = stepped(times, clock)
    after = following(steps, step, count)
    return after if steps is times else seconds_if_whole(clock.stored(after))


def step_name(step: np.timedelta64) -> str:
    """A step in words, such as ``15 minutes``."""
    count = int(step.astype(np.int64))
    if np.datetime_data(step.dtype)[0] == "M":
        return _many(count, "month")
    if np.datetime_data(step.dtype)[0] == "us":
        return f"{count / 1e3:.10g} milliseconds" if count < 10**6 else f"{count / 1e6:.10g} seconds"
    for size, unit in ((604800, "week"), (86400, "day"), (3600, "hour"), (60, "minute")):
        if count % size == 0:
            return _many(count // size, unit)
    return _many(count, "second")


def _many(count: int, unit: str) -> str:
    return f"1 {unit}" if count == 1 else f"{count} {unit}s"
