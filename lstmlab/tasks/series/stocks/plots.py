"""Plots of the last days' prices and returns beside their forecasts, and how sure the directions are."""

from __future__ import annotations

import functools

import numpy as np
from jaxtyping import Bool, Float

from lstmlab.plots import forecast as forecast_plot
from lstmlab.tasks.series.statistics import wilson_interval
from lstmlab.tasks.series.stocks.dataset import Prices, ReturnsTable
from lstmlab.tasks.specs import Plot

SHOWN_DAYS = 120


def stock_plots(
    prices: Prices, table: ReturnsTable, outputs: Float[np.ndarray, "days 2"], rises: Bool[np.ndarray, " days"]
) -> list[Plot]:
    """Closes and returns of the last test days, each forecast from the days before it; and the share of right
    directions.

    Args:
        prices: the index.
        table: its returns.
        outputs: for each test day the standardised return and the logit of a rise.
        rises: whether the index rose, for each test day.
    """
    outputs_shown = outputs[-SHOWN_DAYS:]
    forecast = table.mean + table.std * outputs_shown[:, 0]
    shown = slice(-len(forecast) - 1, None)  # from the day on which the first forecast is made
    dates, close = prices.dates[shown], prices.close[shown]
    closes = {"persistence": close[:-1], "model": close[:-1] * np.exp(forecast)}
    rmse = {name: np.sqrt(np.mean((f - close[1:]) ** 2)) for name, f in closes.items()}
    errors = f"RMSE {rmse['model']:.2f}, persistence {rmse['persistence']:.2f} points"
    draw = functools.partial(forecast_plot.forecast, x_label=f"the last {len(forecast)} days of the test")
    draw_closes = functools.partial(
        draw, times=dates, truth=close, predictions=closes, y_label="close",
        title=f"S&P 500 forecast one day ahead: {errors}",
    )  # fmt: skip
    draw_returns = functools.partial(
        draw, times=dates, truth=100 * table.returns[shown], predictions={"model": 100 * forecast},
        y_label="return, %", title="S&P 500: the day's return as forecast the day before",
    )  # fmt: skip
    return [
        Plot("closes", draw=draw_closes),
        Plot("returns", draw=draw_returns),
        Plot("direction", text=direction_text(outputs[:, 1] > 0, rises)),
    ]


def direction_text(forecast: Bool[np.ndarray, " days"], rises: Bool[np.ndarray, " days"]) -> str:
    """The share of days whose direction is forecast right, with its interval."""
    right, days = int((forecast == rises).sum()), len(rises)
    low, high = wilson_interval(right, days)
    return (
        f"direction right on {right / days:.1%} of {days} test days; 95 % interval (Wilson) {low:.1%} to "
        f"{high:.1%}; always up: {rises.mean():.1%}\n"
    )
