"""Daily prices of the S&P 500 index, and the returns and features made from them."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from lstmlab.data.resources import embedded_path
from lstmlab.tasks.specs import Split

SPLITS: dict[Split, tuple[float, float]] = {
    "train": (0.0, 0.7),
    "validation": (0.7, 0.85),
    "test": (0.85, 1.0),
}
"""share of the days at which a split starts and ends"""


@dataclass(frozen=True)
class Prices:
    """Prices by trading day, rising in time; weekends and holidays are absent, not filled.

    Attributes:
        dates: datetime64[D] [days].
        open: first price of the day, float64 [days], in index points; so are the next three.
        high: highest price of the day.
        low: lowest price of the day.
        close: last price of the day.
        volume: shares traded, float64 [days].
    """

    dates: NDArray[np.datetime64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]


def load_sp500() -> Prices:
    """Return the S&P 500 index, 5031 days from 1999-01-04 to 2018-12-31. Embedded.

    Source: the Python package `arch` 8.0.0 (NCSA licence).

    Raises:
        DataError: the installation lacks the file.
    """
    text = gzip.decompress(embedded_path("sp500.csv.gz").read_bytes()).decode("ascii")
    rows = [line.split(",") for line in text.splitlines()[1:]]
    dates = np.array([row[0] for row in rows], dtype="datetime64[D]")
    return Prices(dates, *np.array([row[1:] for row in rows], dtype=np.float64).T.copy())


class ReturnsTable(NamedTuple):
    """Returns and features of each day but the first."""

    features: Float[np.ndarray, "days 3"]
    """float32: log return, log of high over low, log change of volume; each standardised by the training days"""
    returns: Float[np.ndarray, " days"]
    """log returns ln(close_t / close_{t−1}), float64"""
    mean: float
    """of the training days' log returns"""
    std: float
    """of the training days' log returns"""

    @property
    def standardised(self) -> Float[np.ndarray, " days"]:
        """The returns minus the mean, over the standard deviation."""
        return (self.returns - self.mean) / self.std


def returns_table(prices: Prices) -> ReturnsTable:
    """Features of day t from prices of days t − 1 and t; mean and deviation are those of the training days."""
    returns = np.diff(np.log(prices.close))
    spread = np.log(prices.high / prices.low)[1:]
    columns = np.stack([returns, spread, np.diff(np.log(prices.volume))], axis=1)
    train = columns[: split_days("train", len(columns))[1]]
    centre, scale = train.mean(axis=0), train.std(axis=0)
    features = ((columns - centre) / scale).astype(np.float32)
    return ReturnsTable(features, returns, float(centre[0]), float(scale[0]))


def split_days(split: Split, days: int) -> tuple[int, int]:
    """First day of a split and the first day after it."""
    first, end = SPLITS[split]
    return int(first * days), int(end * days)
