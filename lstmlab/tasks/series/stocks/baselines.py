"""Forecasts of the next day's return and direction that need no model."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lstmlab.simple_models.ridge import best_ridge, predict
from lstmlab.tasks.series.stocks.dataset import ReturnsTable

STRENGTHS = (1e-4, 1e-2, 0.1, 1.0, 10.0, 100.0)


def return_errors(table: ReturnsTable, first: int, end: int) -> dict[str, float]:
    """Mean squared errors of standardised returns over the days from ``first`` up to ``end``, best first: no change
    (price persistence), the training mean (drift), and the last return again.
    """
    returns = table.standardised
    forecasts = {
        "zero return": -table.mean / table.std,
        "mean return": 0.0,
        "last return": returns[first - 1 : end - 1],
    }
    errors = {name: float(np.mean((returns[first:end] - forecast) ** 2)) for name, forecast in forecasts.items()}
    return dict(sorted(errors.items(), key=lambda item: item[1]))


def linear_error(table: ReturnsTable, window: int, size: int, spans: Mapping[str, tuple[int, int]]) -> float:
    """Mean squared error of standardised returns over the test days, by ridge regression on the first ``size`` features
    of the ``window`` days before; the penalty is chosen on validation. ``spans`` are the days that each split
    forecasts."""

    def examples(split: str) -> tuple[np.ndarray, np.ndarray]:
        days = np.arange(*spans[split])
        seen = table.features[days[:, None] + np.arange(-window, 0), :size].astype(np.float64)
        return seen.reshape(len(days), -1), table.standardised[days, None].astype(np.float64)

    weights = best_ridge([examples("train")], [examples("validation")], STRENGTHS)
    x, y = examples("test")
    return float(np.mean((predict(weights, x) - y) ** 2))


def direction_accuracies(table: ReturnsTable, first: int, end: int) -> dict[str, float]:
    """Share of right directions over the same days: a rise every day, and the last day's direction again."""
    up = table.returns > 0
    return {
        "always up": float(np.mean(up[first:end])),
        "last direction": float(np.mean(up[first:end] == up[first - 1 : end - 1])),
    }
