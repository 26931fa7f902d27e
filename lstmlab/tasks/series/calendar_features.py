"""What the time of a row tells: its place in the day, the week and the year, and the length of a season."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from lstmlab.data.clock import Times
from lstmlab.data.table import Table

DAY, WEEK, YEAR = 86400.0, 604800.0, 365.2425 * 86400.0  # seconds


def calendar_features(times: Times, step: np.timedelta64) -> Float[np.ndarray, "rows features"]:
    """Sine and cosine of the time of day, the day of the week and the day of the year, as a local clock shows them.

    Only periods longer than a step are used, as the others are the same in every row. With a step of a year or more
    none is left, and the array has no columns.
    """
    seconds = (times - np.datetime64(0, "s")) / np.timedelta64(1, "s")
    angles = [2 * np.pi * seconds / period for period in (DAY, WEEK, YEAR) if seconds_of(step) < period]
    waves = [wave(angle) for angle in angles for wave in (np.sin, np.cos)]
    return np.stack(waves, axis=1) if waves else np.empty((len(times), 0))


def seconds_of(step: np.timedelta64) -> float:
    """The length of a step; for steps in months, the average."""
    if np.datetime_data(step.dtype)[0] == "M":
        return float(step.astype(np.int64)) * YEAR / 12
    return float(step / np.timedelta64(1, "s"))


def inferred_season(table: Table) -> int:
    """Rows in the natural season of a step: a day for steps below one, a week for days, a year for weeks, months and
    quarters. It is 1 for other steps and without times; the seasonal naive forecast is then persistence.
    """
    if table.step is None:
        return 1
    count = int(table.step.astype(np.int64))
    if np.datetime_data(table.step.dtype)[0] == "M":
        return 12 // count if count < 12 and 12 % count == 0 else 1
    if np.datetime_data(table.step.dtype)[0] == "us":
        return 1
    if count < DAY:
        return int(DAY // count) if DAY % count == 0 else 1
    return {int(DAY): 7, int(WEEK): 52}.get(count, 1)
