"""Simple forecasters: persistence, drift, seasonal naive, and the mean of a time of the week or year.

A forecaster reads a scaled series ``[rows, columns]``, each column by itself, and forecasts the rows
o … o + horizon − 1 from those before the origin o.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int

from lstmlab.data.clock import Times
from lstmlab.tasks.series.calendar_features import DAY, WEEK, seconds_of

Series = Float[np.ndarray, "rows columns"]
Origins = Int[np.ndarray, " origins"]
Forecaster = Callable[[Series, Origins], Float[np.ndarray, "origins horizon columns"]]


def persistence(horizon: int) -> Forecaster:
    """The last value again: ŷ_{o+k} = y_{o−1}."""
    return lambda series, origins: np.repeat(series[origins - 1][:, None], horizon, axis=1)


def drift(horizon: int, window: int) -> Forecaster:
    """The line through the first and the last value of the window (Hyndman & Athanasopoulos, section 5.2)."""

    def forecast(series: Series, origins: Origins) -> np.ndarray:
        last = series[origins - 1]
        slope = (last - series[origins - window]) / max(window - 1, 1)
        return last[:, None] + np.arange(1, horizon + 1)[:, None] * slope[:, None]

    return forecast


def seasonal_naive(horizon: int, season: int) -> Forecaster:
    """The value of the same time one season before the origin: ŷ_{o+k} = y_{o+k−m⌈(k+1)/m⌉}, k = 0 … horizon − 1.

    The forecaster raises ``ValueError`` for an origin that has less than a season before it.
    """
    ahead = np.arange(horizon)
    back = ahead - season * (ahead // season + 1)

    def forecast(series: Series, origins: Origins) -> np.ndarray:
        if len(origins) and origins.min() < season:
            raise ValueError(f"no season of {season} rows lies before row {origins.min()}")
        return series[origins[:, None] + back]

    return forecast


def seasons(step: np.timedelta64 | None, rows: int) -> dict[str, int]:
    """A day and a week in rows: those that are whole numbers above 1, and not more than ``rows``."""
    length = None if step is None else seconds_of(step)
    periods = {} if not length else {"day": DAY / length, "week": WEEK / length}
    return {name: int(period) for name, period in periods.items() if period % 1 == 0 and 1 < period <= rows}


def times_of_week(times: Times, step: np.timedelta64) -> Int[np.ndarray, " rows"]:
    """The number of each row's place in the week, in steps; for steps of a day or more, its month of the year.

    ``times`` are those of a local clock.
    """
    if seconds_of(step) >= DAY:
        return times.astype("datetime64[M]").astype(np.int64) % 12
    seconds = (times - np.datetime64(0, "s")) / np.timedelta64(1, "s")
    return (seconds % WEEK // seconds_of(step)).astype(np.int64)


def slot_count(step: np.timedelta64) -> int:
    """How many numbers :func:`times_of_week` gives."""
    return 12 if seconds_of(step) >= DAY else math.ceil(WEEK / seconds_of(step))


def slot_table(train: Series, slots: Int[np.ndarray, " rows"], count: int) -> Float[np.ndarray, "slots columns"]:
    """For each of ``count`` slots the mean of the training rows that ``slots`` puts there; without any, that of all."""
    sums = np.stack([np.bincount(slots, column, count) for column in train.T], axis=1)
    counts = np.bincount(slots, minlength=count)[:, None]
    return np.where(counts > 0, sums / np.maximum(counts, 1), train.mean(axis=0))


def slot_means(train: Series, slots: Int[np.ndarray, " rows"]) -> Float[np.ndarray, "rows columns"]:
    """For each row of ``slots`` the mean of the training rows, the first ones, with the same number; without any, the
    mean of all."""
    return slot_table(train, slots[: len(train)], int(slots.max()) + 1)[slots]


def climatology(horizon: int, means: Series) -> Forecaster:
    """The mean of the row's slot, whatever was seen; ``means`` as by :func:`slot_means`."""
    return lambda series, origins: means[origins[:, None] + np.arange(horizon)]
