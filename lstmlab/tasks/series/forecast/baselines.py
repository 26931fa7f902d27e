"""The forecasters that a task compares its models with, and their errors."""

from __future__ import annotations

from functools import cached_property, partial
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from lstmlab.data.remembered import remembered
from lstmlab.simple_models.scikit import has_scikit_learn, scikit_learn_version
from lstmlab.tasks.series import boosted_forecaster
from lstmlab.tasks.series.boosted_forecaster import boosted_lags, squared_error
from lstmlab.tasks.series.forecast.dataset import PreparedSeries
from lstmlab.tasks.series.linear_forecasters import (
    LEAST,
    around,
    change_reader,
    chunks,
    fit_linear,
    joint_reader,
    linear_weights,
    window_reader,
)
from lstmlab.tasks.series.linear_part import CHANGES, JOINT, VALUES, LinearPart
from lstmlab.tasks.series.naive_forecasters import (
    Forecaster,
    Origins,
    Series,
    climatology,
    drift,
    persistence,
    seasonal_naive,
    seasons,
    slot_means,
    times_of_week,
)
from lstmlab.tasks.series.splits import Spans

REPEATS = 1e-6  # mean difference of z-scores a season apart, up to which a series repeats itself


class Known(NamedTuple):
    """What a model reads besides the columns that it forecasts; all arrays have the rows of the series."""

    others: Series
    """further columns, scaled"""
    calendar: Series
    """features of each row's time; none where the model does not read them"""
    slots: Int[np.ndarray, " rows"] | None = None
    """the number of each row's time of the week or month, where the model reads the calendar"""
    step: np.timedelta64 | None = None

    @classmethod
    def nothing(cls, rows: int) -> Known:
        """The series alone."""
        return cls(np.zeros((rows, 0)), np.zeros((rows, 0)))


def naive_scale(train: Series, season: int, rounding: ArrayLike = 0.0) -> Float[np.ndarray, " columns"] | None:
    """The denominator of MASE (Hyndman & Koehler 2006): mean |y_t − y_{t−m}| over the training rows.

    None when a column (of z-scores) repeats itself with every season, but for 1e-6 or the ``rounding`` of its values:
    MASE is then undefined.
    """
    scale = np.abs(train[season:] - train[:-season]).mean(axis=0)
    return scale if (scale > np.maximum(REPEATS, rounding)).all() else None


class FittedBaselines:
    """The baselines of one series, fitted on its training rows when they are first asked for.

    Attributes:
        scale: the denominator of MASE for each column, or None.
    """

    def __init__(
        self, series: Series, spans: Spans, season: int, horizon: int, window: int, known: Known | None = None,
        rounding: ArrayLike = 0.0,
    ) -> None:  # fmt: skip
        self._series, self._spans, self._season = series, spans, season
        self._horizon, self._window = horizon, window
        self._known = known or Known.nothing(len(series))
        self._errors: dict[bytes, dict[str, dict[str, float]]] = {}
        self._train = series[: spans["train"][1]]
        self.scale = naive_scale(self._train, season, rounding)

    @cached_property
    def forecasters(self) -> dict[str, Forecaster]:
        """By name; without a season of more than one row there is no seasonal one, without calendar no climatology."""
        horizon, window, known = self._horizon, self._window, self._known
        fit = partial(fit_linear, spans=self._spans, window=window, horizon=horizon)
        found = {"persistence": persistence(horizon), "drift": drift(horizon, window)}
        if self._season > 1:
            found["seasonal naive"] = seasonal_naive(horizon, self._season)
        for name, rows in seasons(known.step, len(self._train)).items():
            if rows != self._season:
                found[f"seasonal naive ({name})"] = seasonal_naive(horizon, rows)
        found["DLinear (least squares)"] = fit(window_reader(window), self._series, strengths=LEAST)
        found["NLinear (least squares)"] = fit(change_reader(window), self._series, strengths=LEAST)
        if known.slots is not None:
            means = slot_means(self._train, known.slots)
            found["climatology"] = climatology(horizon, means)
            found["climatology + linear"] = around(means, self._series, partial(fit, window_reader(window)))
        read = [name for name in ("calendar", "others") if getattr(known, name).shape[1]]
        if read:
            joint = joint_reader(window, known.others, known.calendar)
            found[f"linear with {' and '.join(read).replace('others', 'covariates')}"] = fit(joint, self._series)
        return found

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

    def sorted_errors(self, origins: Origins, metric: str) -> dict[str, float]:
        """One of the errors by baseline, best first."""
        values = {name: metrics[metric] for name, metrics in self.errors(origins).items()}
        return dict(sorted(values.items(), key=lambda item: item[1], reverse=metric == "direction_accuracy"))

    def other_errors(self, origins: Origins) -> dict[str, dict[str, float]]:
        """All errors but the squared one; persistence has no direction."""
        names = ("mae", *(() if self.scale is None else ("mase",)), "direction_accuracy")
        others = {name: self.sorted_errors(origins, name) for name in names}
        others["direction_accuracy"].pop("persistence")
        return others

    def _mean_errors(self, forecaster: Forecaster, origins: Origins) -> dict[str, float]:
        names = ("mse", "mae", *(() if self.scale is None else ("mase",)), "direction_accuracy")
        totals = dict.fromkeys(names, 0.0)
        for part in chunks(origins):
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


def fitted_baselines(prepared: PreparedSeries, horizon: int, window: int) -> FittedBaselines:
    """The baselines of a prepared series, which read what a model reads of it."""
    return FittedBaselines(
        prepared.scaled_targets, prepared.spans, prepared.season, horizon, window, _known(prepared),
        prepared.info.scaler.of(prepared.info.targets).rounding(),
    )  # fmt: skip


def boosted_error(prepared: PreparedSeries, horizon: int, window: int, origins: Origins) -> dict[str, float]:
    """The squared error of :func:`~lstmlab.tasks.series.boosted_forecaster.boosted_lags`, by its name, kept on disk;
    nothing without scikit-learn."""
    if not has_scikit_learn():
        return {}
    known, series, spans = _known(prepared), prepared.scaled_targets, prepared.spans
    season = seasons(known.step, window).get("day", prepared.season)

    def compute() -> dict[str, float]:
        forecaster = boosted_lags(series, known.others, known.calendar, spans, window, horizon, season)
        return {"gradient-boosted lags": squared_error(forecaster, series, origins, horizon)}

    inputs = (
        series, known.others, known.calendar, spans, window, horizon, season, origins, boosted_forecaster.MOST_TREES,
        scikit_learn_version(),
    )  # fmt: skip
    return remembered("boosted-lags-1", inputs, compute)


def fitted_linear(prepared: PreparedSeries, horizon: int, window: int) -> LinearPart:
    """The linear part of a model's forecast: with seasonal means a map of the differences from them; with calendar or
    other columns one of all of these together; else NLinear. All are among the baselines."""
    known, series = _known(prepared), prepared.scaled_targets
    fit = partial(linear_weights, spans=prepared.spans, window=window, horizon=horizon)
    if prepared.info.means is not None:
        assert known.slots is not None  # without times there are no means
        return LinearPart(VALUES, fit(window_reader(window), series - prepared.info.means[known.slots]))
    if known.calendar.shape[1] or known.others.shape[1]:
        return LinearPart(JOINT, fit(joint_reader(window, known.others, known.calendar), series))
    return LinearPart(CHANGES, fit(change_reader(window), series, strengths=LEAST))


def _known(prepared: PreparedSeries) -> Known:
    info, table = prepared.info, prepared.table
    columns, rows = len(info.names), prepared.rows.astype(np.float64)
    others = [column for column in range(columns) if column not in info.targets]
    means = 0 if info.means is None else len(info.targets)
    calendar, times = rows[:, columns : rows.shape[1] - means], table.local_times
    slots = None
    if (calendar.shape[1] or means) and times is not None and table.step is not None:
        slots = times_of_week(times, table.step)
    return Known(rows[:, others], calendar, slots, table.step)
