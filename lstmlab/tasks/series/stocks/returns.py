"""Daily returns: causal features, the scaler, and splits by time; how sure a share of directions is."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lstmlab.tasks.series.stocks.dataset import Prices
from lstmlab.tasks.task import Split

SPLITS: dict[Split, tuple[float, float]] = {
    "train": (0.0, 0.7),
    "validation": (0.7, 0.85),
    "test": (0.85, 1.0),
}
"""share of the days at which a split starts and ends"""


class Table(NamedTuple):
    """What is known of each day but the first; standardised by the training split's days alone."""

    features: np.ndarray
    """float32 [days, 3]: log return, log of high over low, log change of volume"""
    returns: np.ndarray
    """log returns ln(close_t / close_{t−1}), float64 [days]"""
    mean: float
    """of the training split's log returns"""
    std: float
    """of the training split's log returns"""


def tabulate(prices: Prices) -> Table:
    """Features of day t from prices of days t − 1 and t; scalers see the training days only."""
    returns = np.diff(np.log(prices.close))
    spread = np.log(prices.high / prices.low)[1:]
    columns = np.stack([returns, spread, np.diff(np.log(prices.volume))], axis=1)
    train = columns[: split_days("train", len(columns))[1]]
    centre, scale = train.mean(axis=0), train.std(axis=0)
    features = ((columns - centre) / scale).astype(np.float32)
    return Table(features, returns, float(centre[0]), float(scale[0]))


def wilson(right: int, total: int, z: float = 1.959964) -> tuple[float, float]:
    """Wilson's score interval (1927) of a share, here at 95 %: the shares from which ``right`` of ``total``
    independent trials is at most z standard deviations away.
    """
    share, spread = right / total, z**2 / total
    centre = (share + spread / 2) / (1 + spread)
    reach = z * (share * (1 - share) / total + spread / (4 * total)) ** 0.5 / (1 + spread)
    return centre - reach, centre + reach


def split_days(split: Split, days: int) -> tuple[int, int]:
    """First day of a split and the first day after it."""
    first, end = SPLITS[split]
    return int(first * days), int(end * days)
