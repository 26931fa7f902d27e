"""What a forecaster must beat: persistence, drift, seasonal naive, and one linear map of the window.

All work on scaled series ``[rows, columns]``, every column by itself, and forecast the rows o … o + horizon − 1 from
those before the origin o.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from jaxtyping import Float, Int

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

    Needs a season before every origin.
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

    DLinear adds a linear map of the window's moving average to one of what remains. The moving average is itself
    linear in the window, so that both are one linear map with an intercept, shared by all columns: ŷ = W x + b. The
    authors fit it by gradient descent; here it is the minimum of the squared error over all training windows, by the
    normal equations with a ridge of 10⁻⁶ of their mean diagonal (Toner & Darlow 2024 do so for linear forecasters).
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


def naive_scale(train: Series, season: int) -> Float[np.ndarray, " columns"] | None:
    """The denominator of MASE (Hyndman & Koehler 2006): mean |y_t − y_{t−m}| over the training rows.

    None where a column (of z-scores) repeats itself with every season: then there is no such measure.
    """
    scale = np.abs(train[season:] - train[:-season]).mean(axis=0)
    return scale if scale.min() > REPEATS else None


class Yardsticks:
    """The baselines of one series, with what is fitted on its training rows.

    Attributes:
        forecasters: by name; without a season of more than one row there is no seasonal one.
        scale: the denominator of MASE for each column, or None.
    """

    def __init__(self, series: Series, train_end: int, season: int, horizon: int, window: int) -> None:
        train = series[:train_end]
        self._series, self._horizon = series, horizon
        self._errors: dict[bytes, dict[str, dict[str, float]]] = {}
        self.scale = naive_scale(train, season)
        self.forecasters = {"persistence": persistence(horizon), "drift": drift(horizon, window)}
        if season > 1:
            self.forecasters["seasonal naive"] = seasonal_naive(horizon, season)
        self.forecasters["DLinear (least squares)"] = linear(train, horizon, window)

    def errors(self, origins: Origins) -> dict[str, dict[str, float]]:
        """Per baseline its mean squared and absolute error, MASE where there is one, and share of directions right."""
        key = origins.tobytes()
        if key not in self._errors:
            self._errors[key] = {name: self._of(forecaster, origins) for name, forecaster in self.forecasters.items()}
        return self._errors[key]

    def _of(self, forecaster: Forecaster, origins: Origins) -> dict[str, float]:
        names = ("mse", "mae", *(() if self.scale is None else ("mase",)), "direction_accuracy")
        totals = dict.fromkeys(names, 0.0)
        for part in _chunks(origins):
            truth = self._series[part[:, None] + np.arange(self._horizon)]
            said, last = forecaster(self._series, part), self._series[part - 1][:, None]
            error = np.abs(said - truth)
            totals["mse"] += float((error**2).sum())
            totals["mae"] += float(error.sum())
            if self.scale is not None:
                totals["mase"] += float((error / self.scale).sum())
            totals["direction_accuracy"] += float(((said > last) == (truth > last)).sum())
        count = len(origins) * self._horizon * self._series.shape[1]
        return {name: total / count for name, total in totals.items()}


def _columns_first(series: Series, rows: np.ndarray) -> np.ndarray:
    """``[origins · columns, rows]``: every column is an example of its own."""
    return series[rows].swapaxes(1, 2).reshape(-1, rows.shape[1])


def _chunks(origins: Origins) -> Iterator[Origins]:
    return (origins[i : i + CHUNK] for i in range(0, len(origins), CHUNK))
