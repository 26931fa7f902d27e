"""Clocks: how the times of a table relate to UTC, and how they are written."""

from __future__ import annotations

import difflib
import re
import zoneinfo
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool
from numpy.typing import NDArray

# pandas is imported where it is used: it takes half a second, and `lstmlab cells` imports this file.

Times = NDArray[np.datetime64]
AMBIGUOUS = ("error", "earlier", "later")
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)")


class ClockError(ValueError):
    """A local time that its zone does not have, or has twice; ``row`` counts from 0."""

    def __init__(self, row: int, message: str) -> None:
        super().__init__(message)
        self.row = row


class Clock(NamedTuple):
    """What a table's times mean."""

    offset: int | None = None
    """seconds by which the times are ahead of UTC; None: the file does not say"""
    zone: str | None = None
    """the zone in which they are written; they are then stored in UTC, so that no hour is absent or there twice"""

    def local(self, times: Times) -> Times:
        """The times that a clock on the wall shows."""
        if self.zone is None:
            return times
        return _naive(_aware(times, "UTC").tz_convert(self.zone))

    def stored(self, local: Times) -> Times:
        """Undo :meth:`local`; a time that there is twice is the earlier one, and one that there is not, the next."""
        if self.zone is None:
            return local
        import pandas as pd

        earlier = np.ones(len(local), bool)
        aware = pd.DatetimeIndex(local).tz_localize(self.zone, ambiguous=earlier, nonexistent="shift_forward")
        return _naive(aware.tz_convert("UTC"))

    def local_from(self, times: Times, other: Clock) -> Times:
        """Times of another clock as this one shows them; raises ``ValueError`` where one is known and one is not."""
        if self.offset is None and other.offset is None:
            return times
        if self.offset is None or other.offset is None:
            raise ValueError(f"times {self.name}, but these are {other.name}")
        return self.local(times + np.timedelta64(self.offset - other.offset, "s"))

    def written(self, times: Times) -> list[str]:
        """ISO 8601 with a space in the middle, and the offset from UTC where it is known."""
        shown = self.local(times)
        texts = [str(time).replace("T", " ") for time in shown]
        if self.offset is None:
            return texts
        ahead = (shown - times).astype("timedelta64[s]").astype(np.int64) + self.offset
        return [text + _offset_text(int(seconds)) for text, seconds in zip(texts, ahead, strict=True)]

    @property
    def name(self) -> str:
        """For messages."""
        if self.offset is None:
            return "without an offset from UTC"
        return f"of {self.zone}" if self.zone else f"of the offset {_offset_text(self.offset)}"

    @classmethod
    def from_plain(cls, plain: Sequence[Any]) -> Clock:
        """From the list of both fields."""
        offset, zone = plain
        return cls(None if offset is None else int(offset), None if zone is None else str(zone))


def clock_of(timezone: str) -> Clock:
    """The clock that ``data.timezone`` names; raises ``ValueError`` for what is none."""
    if match := _OFFSET.fullmatch(timezone):
        seconds = int(match[2]) * 3600 + int(match[3]) * 60
        return Clock(-seconds if match[1] == "-" else seconds)
    if timezone in ("UTC", "Z"):
        return Clock(0)
    known = zoneinfo.available_timezones()
    if timezone not in known:
        by_tail = {name.rsplit("/", 1)[-1].lower(): name for name in sorted(known)}
        near = difflib.get_close_matches(timezone, known, n=1) or [
            by_tail[tail] for tail in difflib.get_close_matches(timezone.lower(), by_tail, n=1)
        ]
        meant = f"; did you mean {near[0]}?" if near else ""
        raise ValueError(f"data.timezone is '{timezone}', but must be a zone such as Europe/Berlin, or +01:00{meant}")
    return Clock(0, timezone)


def set_clock(moments: Sequence[datetime], timezone: str | None, ambiguous: str) -> tuple[Times, Clock]:
    """Times as a table stores them, and their clock.

    Moments with offsets are instants: they are stored as they are written if they share one offset, else in UTC.
    Moments without are local times of ``timezone``, if there is one.

    Raises:
        ClockError: for a local time that is absent or there twice when clocks are changed, unless the order of the
            rows, or ``ambiguous``, tells which is meant.
    """
    import pandas as pd

    offsets = {moment.utcoffset() for moment in moments}
    wanted = None if timezone is None else clock_of(timezone)
    if None in offsets:
        local = seconds_if_whole(pd.DatetimeIndex(moments).to_numpy())
        if wanted is None or wanted.zone is None:
            return local, wanted or Clock()
        return seconds_if_whole(_instants(local, wanted.zone, ambiguous)), wanted
    utc = seconds_if_whole(_naive(pd.to_datetime(list(moments), utc=True)))
    if wanted is None:
        shared = next(iter(offsets)) if len(offsets) == 1 else None
        wanted = Clock(int((shared or timedelta(0)).total_seconds()))
    return utc + np.timedelta64(wanted.offset or 0, "s"), wanted


def seconds_if_whole(times: Times) -> Times:
    """As datetime64[s], or datetime64[us] where some have a part of a second."""
    seconds = times.astype("datetime64[s]")
    return seconds if (seconds == times).all() else times.astype("datetime64[us]")


def _instants(local: Times, zone: str, ambiguous: str) -> Times:
    import pandas as pd

    index = pd.DatetimeIndex(local)
    earlier, later = (
        _naive(index.tz_localize(zone, ambiguous=np.full(len(local), summer), nonexistent="NaT").tz_convert("UTC"))
        for summer in (True, False)
    )
    absent = np.flatnonzero(np.isnat(earlier))
    if len(absent):
        raise ClockError(
            int(absent[0]),
            f"there is no such time in {zone}, where clocks are put forward; if the clock of the file is never "
            "changed, give its offset, such as data.timezone=+01:00",
        )
    twice = earlier != later
    chosen = np.where(twice & (ambiguous == "later"), later, earlier)
    for first, end in _runs(twice):
        back = np.flatnonzero(np.diff(local[first:end]) <= np.timedelta64(0))
        if len(back):  # the hour is there twice: rows are in order, so it goes back once
            second = first + int(back[0]) + 1
            chosen[first:second], chosen[second:end] = earlier[first:second], later[second:end]
        elif ambiguous == "error":
            raise ClockError(
                first,
                f"this time is there twice in {zone}, where clocks are put back; data.ambiguous_time=earlier|later "
                "says which is meant",
            )
    return chosen


def _runs(marked: Bool[np.ndarray, " rows"]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], marked, [False]]).astype(np.int8)))
    return [(int(first), int(end)) for first, end in edges.reshape(-1, 2)]


def _aware(times: Times, zone: str) -> Any:
    import pandas as pd

    return pd.DatetimeIndex(times).tz_localize(zone)


def _naive(index: Any) -> Times:
    return index.tz_localize(None).to_numpy()


def _offset_text(seconds: int) -> str:
    hours, rest = divmod(abs(seconds) // 60, 60)
    return f"{'-' if seconds < 0 else '+'}{hours:02d}:{rest:02d}"
