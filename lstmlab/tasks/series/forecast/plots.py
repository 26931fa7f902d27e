"""Plots of forecasts beside the truth, of their errors by lead time, and how sure the directions are."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from lstmlab.data.clock import Times
from lstmlab.plots import curves, forecast
from lstmlab.tasks.series.distributions import Prediction
from lstmlab.tasks.series.series_info import Scaler
from lstmlab.tasks.series.statistics import wilson_interval
from lstmlab.tasks.specs import Plot
from lstmlab.tracking.files import file_names

MOST_HORIZONS = 6
MOST_POINTS = 400
MOST_COLUMNS = 4


class ComparedForecasts(NamedTuple):
    """Forecasts of the test split, with the series that they are compared with."""

    prediction: Prediction
    """``[origins, horizon, columns]``, z-scores"""
    baselines: Mapping[str, Float[np.ndarray, "origins horizon columns"]]
    origins: Int[np.ndarray, " origins"]
    """first row of each forecast, one row apart"""
    series: Float[np.ndarray, "rows columns"]
    """the columns that are forecast, z-scores"""
    names: list[str]
    """of the columns"""
    scaler: Scaler
    """of the columns"""
    times: Times | None
    interval: float
    """probability of the prediction's interval"""
    title: str

    @property
    def point(self) -> Float[np.ndarray, "origins horizon columns"]:
        """The model's point forecasts."""
        return np.asarray(self.prediction.point)

    @property
    def horizon(self) -> int:
        """Rows of each forecast."""
        return self.point.shape[1]

    @property
    def truth(self) -> Float[np.ndarray, "origins horizon columns"]:
        """What the forecasts should be."""
        return self.series[self.origins[:, None] + np.arange(self.horizon)]


def forecast_plots(compared: ComparedForecasts) -> list[Plot]:
    """Of the first four columns the end of the test split, each row as forecast at most one horizon before; errors by
    lead time; the share of right directions, with its interval.
    """
    plots = [_end_of_test(compared, column) for column in range(min(len(compared.names), MOST_COLUMNS))]
    if compared.horizon > 1:
        plots.append(_error_by_lead(compared))
    return [*plots, Plot("direction", text=_direction(compared))]


def _error_by_lead(compared: ComparedForecasts) -> Plot:
    truth, leads = compared.truth, np.arange(1, compared.horizon + 1)
    forecasts = {"model": compared.point, **compared.baselines}
    errors = {name: (leads, ((forecast - truth) ** 2).mean(axis=(0, 2))) for name, forecast in forecasts.items()}
    draw = functools.partial(curves.curves, series=errors, x_label="rows ahead", y_label="squared error, scaled",
                             title=f"{compared.title}: test error by lead time")  # fmt: skip
    return Plot("error_by_lead", draw=draw)


def _end_of_test(compared: ComparedForecasts, column: int) -> Plot:
    """The last whole horizons of the test split, each of them one forecast."""
    horizon, forecasts = compared.horizon, len(compared.origins)
    count = max(1, min(MOST_HORIZONS, MOST_POINTS // horizon, -(-forecasts // horizon)))
    chosen = np.arange(forecasts)[::-1][::horizon][:count][::-1]
    begin = int(compared.origins[chosen[0]])
    end, before = begin + count * horizon, max(begin - horizon, 0)
    scaler = compared.scaler.of([column])

    def joined(values: np.ndarray) -> np.ndarray:
        """The chosen forecasts one after the other, in the data's units."""
        return scaler.restore(values[chosen, :, column].reshape(-1, 1))[:, 0]

    bands, lower, upper = {}, compared.prediction.lower, compared.prediction.upper
    if lower is not None and upper is not None:
        bands = {"model": (joined(np.asarray(lower)), joined(np.asarray(upper)))}
    note = f", {100 * compared.interval:g} % interval" if bands else ""
    draw = functools.partial(
        forecast.forecast, times=np.arange(before, end) if compared.times is None else compared.times[before:end],
        truth=scaler.restore(compared.series[before:end, column, None])[:, 0],
        predictions={"model": joined(compared.point)}, bands=bands, horizon=horizon, y_label=compared.names[column],
        title=f"{compared.title}: forecasts of {horizon} rows each{note}",
    )  # fmt: skip
    return Plot(f"forecast_{file_names(compared.names)[column]}", draw=draw)


def _direction(compared: ComparedForecasts) -> str:
    """Directions of the last row ahead, from origins one horizon apart, as overlapping windows are not independent."""
    last_seen = compared.series[compared.origins - 1][:, None]
    right = (compared.point > last_seen) == (compared.truth > last_seen)
    right = right[:: compared.horizon, -1]
    low, high = wilson_interval(int(right.sum()), right.size)
    return (
        f"direction of the row {compared.horizon} ahead right in {right.mean():.1%} of {right.size} forecasts that do "
        f"not overlap; 95 % interval (Wilson) {low:.1%} to {high:.1%}\n"
    )
