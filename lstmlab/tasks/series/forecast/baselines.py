"""Simple forecasters: persistence, drift, seasonal naive, and one linear map of the window.

They read scaled series ``[rows, columns]``, each column by itself, and forecast the rows o … o + horizon − 1 from those
before the origin o.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

Series = Float[np.ndarray, "rows columns"]
Origins = Int[np.ndarray, " origins"]
Forecaster = Callable[[Series, Origins], Float[np.ndarray, "origins horizon columns"]]

RIDGE = 1e-6
REPEATS = 1e-6  # mean difference of z-scores a season apart, up to which a series repeats itself
CHUNK = 512


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


def linear(train: Series, horizon: int, window: int) -> Forecaster:
    """DLinear (Zeng et al. 2023), fitted by least squares.

    DLinear adds a linear map of the window's moving average to one of the remainder. The moving average is itself
    linear in the window, so together they are one linear map with an intercept, shared by all columns: ŷ = W x + b. The
    authors fit it by gradient descent; here it is the minimum of the squared error over all training windows, by the
    normal equations with a ridge of 10⁻⁶ of their mean diagonal (as Toner & Darlow 2024 fit linear forecasters).
    """
    size = window + 1
    gram, cross = np.zeros((size, size)), np.zeros((size, horizon))
    origins = np.arange(window, len(train) - horizon + 1)
    for part in _chunks(origins):
        seen = _columns_first(train, part[:, None] + np.arange(-window, 0))
        x = np.concatenate([seen, np.ones((len(seen), 1))], axis=1)
        gram += x.T @ x
        cross += x.T @ _columns_first(train, part[:, None] + np.arange(horizon))
    gram[np.arange(window), np.arange(window)] += RIDGE * np.trace(gram) / size
    weights = np.linalg.solve(gram, cross)

    def forecast(series: Series, origins: Origins) -> np.ndarray:
        seen = _columns_first(series, origins[:, None] + np.arange(-window, 0))
        ahead = seen @ weights[:-1] + weights[-1]
        return ahead.reshape(len(origins), series.shape[1], horizon).swapaxes(1, 2)

    return forecast


def naive_scale(train: Series, season: int, rounding: ArrayLike = 0.0) -> Float[np.ndarray, " columns"] | None:
    """The denominator of MASE (Hyndman & Koehler 2006): mean |y_t − y_{t−m}| over the training rows.

    None when a column (of z-scores) repeats itself with every season, but for 1e-6 or the ``rounding`` of its values:
    MASE is then undefined.
    """
    scale = np.abs(train[season:] - train[:-season]).mean(axis=0)
    return scale if (scale > np.maximum(REPEATS, rounding)).all() else None


class FittedBaselines:
    """The baselines of one series, fitted on its training rows.

    Attributes:
        forecasters: by name; without a season of more than one row there is no seasonal one.
        scale: the denominator of MASE for each column, or None.
    """

    def __init__(
        self, series: Series, train_end: int, season: int, horizon: int, window: int, rounding: ArrayLike = 0.0
    ) -> None:
        train = series[:train_end]
        self._series, self._horizon = series, horizon
        self._errors: dict[bytes, dict[str, dict[str, float]]] = {}
        self.scale = naive_scale(train, season, rounding)
        self.forecasters = {"persistence": persistence(horizon), "drift": drift(horizon, window)}
        if season > 1:
            self.forecasters["seasonal naive"] = seasonal_naive(horizon, season)
        self.forecasters["DLinear (least squares)"] = linear(train, horizon, window)

    def errors(self, origins: Origins) -> dict[str, dict[str, float]]:
        """For each baseline the mean squared and absolute error, MASE where there is one, and the share of right
        directions.
        """
        key = origins.tobytes()
        if key not in self._errors:
            self._errors[key] = {
                name: self._mean_errors(forecaster, origins) for name, forecaster in self.forecasters.items()
            }
        return self._errors[key]

    def _mean_errors(self, forecaster: Forecaster, origins: Origins) -> dict[str, float]:
        names = ("mse", "mae", *(() if self.scale is None else ("mase",)), "direction_accuracy")
        totals = dict.fromkeys(names, 0.0)
        for part in _chunks(origins):
            truth = self._series[part[:, None] + np.arange(self._horizon)]
            forecast, last = forecaster(self._series, part), self._series[part - 1][:, None]
            error = np.abs(forecast - truth)
            totals["mse"] += float((error**2).sum())
            totals["mae"] += float(error.sum())
            if self.scale is not None:
                totals["mase"] += float((error / self.scale).sum())
            totals["direction_accuracy"] += float(((forecast > last) == (truth > last)).sum())
        count = len(origins) * self._horizon * self._series.shape[1]
        return {name: total / count for name, total in totals.items()}


def _columns_first(series: Series, rows: np.ndarray) -> np.ndarray:
    """``[origins · columns, rows]``, so that every column of a window is an example."""
    return series[rows].swapaxes(1, 2).reshape(-1, rows.shape[1])


def _chunks(origins: Origins) -> Iterator[Origins]:
    return (origins[i : i + CHUNK] for i in range(0, len(origins), CHUNK))
