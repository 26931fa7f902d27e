"""Forecasts of the next day's return and direction that need no model."""

from __future__ import annotations

import numpy as np

from lstmlab.tasks.series.stocks.dataset import ReturnsTable


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


def direction_accuracies(table: ReturnsTable, first: int, end: int) -> dict[str, float]:
    """Share of right directions over the same days: a rise every day, and the last day's direction again."""
    up = table.returns > 0
    return {
        "always up": float(np.mean(up[first:end])),
        "last direction": float(np.mean(up[first:end] == up[first - 1 : end - 1])),
    }
