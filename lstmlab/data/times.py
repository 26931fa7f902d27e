"""Points in time as tables write them, and the step between them: seconds, or whole calendar months."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.datetime64]

FORMATS = (
    "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y",
    "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y",
    "%b %d %Y", "%d %b %Y", "%Y-%m", "%Y/%m", "%Y",
)  # fmt: skip
"""what is read besides ISO 8601"""


def parsers(cell: str) -> list[Callable[[str], datetime]]:
    """The ways in which a cell can be read as a point in time; empty when there is none."""
    named = [lambda text, form=form: datetime.strptime(text, form) for form in FORMATS]
    return [parse for parse in (_iso, _unix, *named) if _reads(parse, cell)]


def parse_column(cells: Sequence[str]) -> tuple[Times | None, int]:
    """The cells as datetime64[s]: the times as they are written, or in UTC where they differ in their offset from it.

    All cells share one format. Where several read all of them, as 01/02/2020 may be in January or February, the one
    that makes the times rise by one step is taken, and None is returned if that does not decide. None is also
    returned when no format reads all cells, with the index of the first cell that the best format does not read.
    """
    found: list[Times] = []
    failed = 0
    for parse in parsers(cells[0]):
        done: list[datetime] = []
        try:
            done.extend(map(parse, cells))
        except (ValueError, OverflowError):
            # extend() keeps what came before the cell that failed.
            failed = max(failed, len(done))
            continue
        offsets = {time.utcoffset() for time in done}
        naive = [time.replace(tzinfo=None) if len(offsets) == 1 else _in_utc(time) for time in done]
        found.append(np.array(naive, dtype="datetime64[s]"))
    distinct = [times for i, times in enumerate(found) if not any(np.array_equal(times, t) for t in found[:i])]
    if len(distinct) > 1:
        distinct = [times for times in distinct if regular_step(times)[0] is not None]
    return (distinct[0], len(cells)) if len(distinct) == 1 else (None, len(cells) if found else failed)


def regular_step(times: Times) -> tuple[np.timedelta64 | None, int]:
    """The step of rising times, in seconds or months, and the row count; or None and the first row off the step.

    The step is the most frequent difference, so that a gap is found where it is.
    """
    differences = np.diff(times.astype("datetime64[s]").astype(np.int64))
    if not len(differences):
        return None, len(times)
    kinds, counts = np.unique(differences, return_counts=True)
    usual = int(kinds[np.argmax(counts)])
    months = np.diff(times.astype("datetime64[M]").astype(np.int64))
    if len(months) > 1 and (months == months[0]).all() and months[0] > 0 and _same_day(times):
        return np.timedelta64(int(months[0]), "M"), len(times)
    off = np.flatnonzero(differences != usual)
    if not len(off) and usual > 0:
        return np.timedelta64(usual, "s"), len(times)
    return None, int(off[0]) + 1 if len(off) else 1


def _same_day(times: Times) -> bool:
    """Whether all times lie equally far into their months, or all on the last days of theirs."""
    days = times.astype("datetime64[D]") + 1
    into = times - times.astype("datetime64[M]").astype("datetime64[s]")
    return bool((into == into[0]).all() or (days.astype("datetime64[M]").astype("datetime64[D]") == days).all())


def following(times: Times, step: np.timedelta64, count: int) -> Times:
    """The next ``count`` points in time after the last, ``step`` apart."""
    ahead = np.arange(1, count + 1)
    if np.datetime_data(step.dtype)[0] != "M":
        return times[-1] + ahead * step.astype("timedelta64[s]")
    last = times[-1]
    month = last.astype("datetime64[M]")
    months = month + ahead * step
    next_day = last.astype("datetime64[D]") + 1
    if next_day.astype("datetime64[M]").astype("datetime64[D]") == next_day:  # ends of months
        within = last - last.astype("datetime64[D]").astype("datetime64[s]")
        return (months + 1).astype("datetime64[D]").astype("datetime64[s]") - np.timedelta64(86400, "s") + within
    return months.astype("datetime64[s]") + (last - month.astype("datetime64[s]"))


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


def _in_utc(time: datetime) -> datetime:
    return time if time.tzinfo is None else time.astimezone(UTC).replace(tzinfo=None)


def _reads(parse: Callable[[str], datetime], cell: str) -> bool:
    try:
        parse(cell)
    except (ValueError, OverflowError):
        return False
    return True
