"""Points in time in tables, and the step between them: seconds, or whole calendar months."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

# pandas is imported where it is used: it takes half a second, and `lstmlab cells` imports this file.

Times = NDArray[np.datetime64]

FORMATS = (
    "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y",
    "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y",
    "%b %d %Y", "%d %b %Y", "%Y-%m", "%Y/%m", "%Y",
)  # fmt: skip
"""accepted besides ISO 8601 and Unix seconds"""


def parsers(cell: str) -> list[Callable[[str], datetime]]:
    """The functions that can read a cell as a point in time; none if it is not one."""
    named = [lambda text, form=form: datetime.strptime(text, form) for form in FORMATS]
    return [parse for parse in (_iso, _unix, *named) if _reads(parse, cell)]


def parse_column(cells: Sequence[str]) -> tuple[Times | None, int]:
    """The cells as datetime64[s]: as they are written, or in UTC if their offsets from UTC differ.

    All cells must have the same format. Some columns can be read in several: 01/02/2020 is in January or in February.
    Then the format is taken that puts the times one step apart. Returns None and the number of cells if that does not
    decide, and None and the index of the first cell that the best format cannot read if no format reads all cells.
    """
    readings: list[Times] = []
    failed = 0
    for parse in parsers(cells[0]):
        times: list[datetime] = []
        try:
            times.extend(map(parse, cells))
        except (ValueError, OverflowError):
            failed = max(failed, len(times))  # extend() keeps what came before the cell that failed
            continue
        readings.append(_to_seconds(times))
    distinct = [times for i, times in enumerate(readings) if not any(np.array_equal(times, t) for t in readings[:i])]
    if len(distinct) > 1:
        distinct = [times for times in distinct if regular_step(times)[0] is not None]
    return (distinct[0], len(cells)) if len(distinct) == 1 else (None, len(cells) if readings else failed)


def usual_step(times: Times) -> np.timedelta64:
    """The most frequent difference between neighbours, the smallest such difference if there are several."""
    differences, counts = np.unique(np.diff(times), return_counts=True)
    return differences[np.argmax(counts)]


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
        return times[-1] + ahead * step.astype("timedelta64[s]")
    import pandas as pd

    months, last = int(step.astype(np.int64)), pd.Timestamp(times[-1])
    offset = pd.offsets.MonthEnd if last.is_month_end else lambda n: pd.DateOffset(months=n)
    return pd.DatetimeIndex([last + offset(int(n) * months) for n in ahead]).to_numpy().astype("datetime64[s]")


def step_name(step: np.timedelta64) -> str:
    """A step in words, such as ``15 minutes``."""
    count = int(step.astype(np.int64))
    if np.datetime_data(step.dtype)[0] == "M":
        return _many(count, "month")
    for size, unit in ((604800, "week"), (86400, "day"), (3600, "hour"), (60, "minute")):
        if count % size == 0:
            return _many(count // size, unit)
    return _many(count, "second")


def _many(count: int, unit: str) -> str:
    return f"1 {unit}" if count == 1 else f"{count} {unit}s"


def _iso(text: str) -> datetime:
    if text.isdigit() and len(text) != 8:  # 20200131 is a day; other plain numbers are not ISO 8601 dates here
        raise ValueError(text)
    return datetime.fromisoformat(text)


def _unix(text: str) -> datetime:
    """Seconds or milliseconds since 1970, in the years 1973 to 2286."""
    value = float(text)
    if not 1e8 <= value < 1e13 or 1e10 <= value < 1e11:
        raise ValueError(text)
    return datetime.fromtimestamp(value / 1000 if value >= 1e11 else value, UTC)


def _to_seconds(times: list[datetime]) -> Times:
    """As datetime64[s]: local times if all have the same offset from UTC (or none), and else UTC."""
    import pandas as pd

    offsets = {time.utcoffset() for time in times}
    return pd.to_datetime(times, utc=len(offsets) > 1).tz_localize(None).to_numpy().astype("datetime64[s]")


def _reads(parse: Callable[[str], datetime], cell: str) -> bool:
    try:
        parse(cell)
    except (ValueError, OverflowError):
        return False
    return True
