"""How a cell can be read as a point in time."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

Parser = Callable[[str], datetime]

_DAYS = ("%Y/%m/%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y", "%m-%d-%Y")
_HOURS = ("%H:%M:%S.%f", "%H:%M:%S", "%H:%M", "%I:%M:%S %p", "%I:%M %p")
FORMATS = (
    *(f"{day} {hour}" for day in _DAYS for hour in _HOURS), *_DAYS,
    "%b %d %Y", "%d %b %Y", "%Y-%m", "%Y/%m",
)  # fmt: skip
"""accepted besides ISO 8601, dates as plain digits and Unix time"""
SPREADSHEET = "excel"
EPOCHS = {"unix": 10**6, "unix_ms": 10**3, "unix_us": 1, "unix_ns": Decimal("0.001")}
"""microseconds in a unit of Unix time"""
_RANGES = {"unix": (8, 10), "unix_ms": (11, 13), "unix_us": (14, 16), "unix_ns": (17, 19)}
"""powers of ten between which numbers are taken for this unit; they are the years 1973 to 2286"""
_START, _SPREADSHEET_START = datetime(1970, 1, 1, tzinfo=UTC), datetime(1899, 12, 30)
_NUMBER = re.compile(r"-?\d+(\.\d*)?([eE][+-]?\d+)?", re.ASCII)
_DIGITS = re.compile(r"(\d{4}|\d{6}|\d{8}|\d{10}|\d{12}|\d{14}|\d{17})(\.0*)?", re.ASCII)
_YEARS = range(1700, 2200)
_PLACES = ((4, 1), (6, 1), (8, 0), (10, 0), (12, 0))  # of month, day, hour, minute, second, and what is absent
TOO_FINE = re.compile(r"[.,]\d{6}\d*[1-9]")
"""a time with more than microseconds"""


def parsers(cell: str) -> list[Parser]:
    """The functions that can read a cell as a point in time; none if it is not one."""
    return [parse for parse in _ALL if _reads(parse, cell)]


def parser_of(form: str) -> Parser:
    """The function for ``data.time_format``; raises ``ValueError`` for what names no format."""
    if form == SPREADSHEET:
        return _spreadsheet
    if form in EPOCHS:
        return _epoch(form, bounded=False)
    if "%" in form:
        try:
            datetime.strptime("", form)
        except ValueError as error:
            if "does not match" not in str(error):
                raise ValueError(f"data.time_format={form}: {error}") from None
        return _strptime(form)
    raise ValueError(
        f"data.time_format is '{form}', but must be {SPREADSHEET}, {', '.join(EPOCHS)}, or a pattern such as "
        "'%d/%m/%Y %H:%M'"
    )


def digits(text: str) -> datetime:
    """Plain digits that are a date: YYYY, YYYYMM, YYYYMMDD, … with hour, minute, second and milliseconds."""
    match = _DIGITS.fullmatch(text)
    if not match or int(text[:4]) not in _YEARS:
        raise ValueError(text)
    shown = match[1]
    month, day, hour, minute, second = (int(shown[i : i + 2] or first) for i, first in _PLACES)
    return datetime(int(shown[:4]), month, day, hour, minute, second, 1000 * int(shown[14:] or 0))


def _iso(text: str) -> datetime:
    if text.isdigit():
        raise ValueError(text)
    utc = re.sub(r"\s*(UTC|GMT|Z)$", "+00:00", text)
    return datetime.fromisoformat(re.sub(r"\s+(?=[+-]\d\d:?\d\d$)", "", utc))


def _strptime(form: str) -> Parser:
    return lambda text: datetime.strptime(text, form)


def _epoch(unit: str, *, bounded: bool) -> Parser:
    low, high = (10**power for power in _RANGES[unit])

    def parse(text: str) -> datetime:
        if not _NUMBER.fullmatch(text) or (bounded and not low <= Decimal(text) < high):
            raise ValueError(text)
        exact = Decimal(text) * EPOCHS[unit]
        if unit == "unix_ns" and exact % 1:
            raise ValueError(f"{text} is finer than a microsecond")
        return _START + timedelta(microseconds=round(exact))

    return parse


def _spreadsheet(text: str) -> datetime:
    """Days since the end of 1899, to the second: fractions of a day are rounded where they are written."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(text)
    return _SPREADSHEET_START + timedelta(seconds=round(Decimal(text) * 86400))


def _reads(parse: Parser, cell: str) -> bool:
    try:
        parse(cell)
    except (ValueError, OverflowError):
        return False
    return True


# Dates as digits come before Unix time: 2020010100 is an hour in 2020, and as seconds one in 2034.
_ALL: tuple[Parser, ...] = (
    _iso, digits, *(_epoch(unit, bounded=True) for unit in EPOCHS), *map(_strptime, FORMATS),
)  # fmt: skip
