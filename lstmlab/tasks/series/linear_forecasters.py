"""Forecasters that are linear in what they read, fitted by least squares on the training rows.

The penalty of the squared weights is chosen on the validation rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from lstmlab.simple_models.ridge import Weights, best_ridge, predict
from lstmlab.tasks.series.naive_forecasters import Forecaster, Origins, Series
from lstmlab.tasks.series.splits import Spans

LEAST = (1e-6,)
"""no choice: enough to solve the equations (as Toner & Darlow 2024 fit linear forecasters)"""
STRENGTHS = (1e-6, 1e-4, 1e-3, 1e-2, 1e-1)
CHUNK = 512


class Seen(NamedTuple):
    """What a linear forecaster reads at some origins. A group is one column of a window, or all of them together."""

    inputs: Float[np.ndarray, "origins groups features"]
    level: Float[np.ndarray, "origins columns 1"]
    """what is subtracted from the values to be forecast"""


Reader = Callable[[Series, Origins], Seen]


def window_reader(window: int) -> Reader:
    """Each column's window as it is."""

    def read(series: Series, origins: Origins) -> Seen:
        values = _windows(series, origins, window)
        return Seen(values, np.zeros_like(values[..., :1]))

    return read


def change_reader(window: int) -> Reader:
    """Each column's window less its last value."""

    def read(series: Series, origins: Origins) -> Seen:
        values = _windows(series, origins, window)
        return Seen(values - values[..., -1:], values[..., -1:])

    return read


def joint_reader(window: int, others: Series, calendar: Series) -> Reader:
    """All columns together, ``others`` too, less their last values, which are read as well; then the calendar of the
    last row. All arrays have the same rows."""

    def read(series: Series, origins: Origins) -> Seen:
        own, rest = _windows(series, origins, window), _windows(others, origins, window)
        values = np.concatenate([own, rest], axis=1)
        last = values[..., -1:]
        parts = (
            (values - last)[..., :-1].reshape(len(origins), values.shape[1] * (window - 1)),
            last[..., 0],
            calendar[origins - 1],
        )
        return Seen(np.concatenate(parts, axis=1)[:, None], own[..., -1:])

    return read


def fit_linear(
    read: Reader, series: Series, spans: Spans, window: int, horizon: int, strengths: tuple[float, ...] = STRENGTHS
) -> Forecaster:
    """The forecaster with the weights of :func:`linear_weights`."""
    weights = linear_weights(read, series, spans, window, horizon, strengths)

    def forecast(series: Series, origins: Origins) -> np.ndarray:
        inputs, level = read(series, origins)
        ahead = predict(weights, inputs.reshape(-1, inputs.shape[2]))
        return (ahead.reshape(len(origins), series.shape[1], horizon) + level).swapaxes(1, 2)

    return forecast


def linear_weights(
    read: Reader, series: Series, spans: Spans, window: int, horizon: int, strengths: tuple[float, ...] = STRENGTHS
) -> Weights:
    """One linear map with an intercept of what ``read`` returns, shared by all groups: ŷ = level + W x + b.

    The map has the least squared error over all windows within the training rows, by the normal equations.
    """

    def examples(first: int, end: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for part in chunks(np.arange(max(first, window), end - horizon + 1)):
            inputs, level = read(series, part)
            ahead = series[part[:, None] + np.arange(horizon)].swapaxes(1, 2) - level
            groups = len(part) * inputs.shape[1]
            yield inputs.reshape(groups, -1), ahead.reshape(groups, -1)

    return best_ridge(examples(*spans["train"]), examples(*spans["validation"]), strengths)


def around(means: Series, series: Series, fit: Callable[[Series], Forecaster]) -> Forecaster:
    """The mean of each row's slot, plus what ``fit`` forecasts of the differences from these means."""
    inner = fit(series - means)

    def forecast(series: Series, origins: Origins) -> np.ndarray:
        residual = inner(series - means, origins)
        return residual + means[origins[:, None] + np.arange(residual.shape[1])]

    return forecast


def chunks(origins: Origins) -> Iterator[Origins]:
    """Pieces of a few hundred origins."""
    return (origins[i : i + CHUNK] for i in range(0, len(origins), CHUNK))


def _windows(series: Series, origins: Origins, window: int) -> Float[np.ndarray, "origins columns window"]:
    return series[origins[:, None] + np.arange(-window, 0)].swapaxes(1, 2)
