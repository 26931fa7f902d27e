"""What forecasts look like beside the truth, their errors by lead time, and how sure the directions are."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import jax.numpy as jnp
import numpy as np

from lstmlab.tasks.series.forecast.heads import Said
from lstmlab.tasks.series.stocks.returns import wilson
from lstmlab.tasks.task import Plot, Predictor
from lstmlab.tracking.files import file_names

if TYPE_CHECKING:
    from lstmlab.tasks.series.forecast.task import Forecast

PERIODS = 6
MOST_POINTS = 400
CHUNK = 256


def plot(task: Forecast, predictor: Predictor) -> list[Plot]:
    """The end of the test split: of each column forecast (the first four) the rows ahead as forecast one horizon
    before; errors by steps ahead; the share of directions right, with its interval.
    """
    from lstmlab.plots import curves as plots

    origins = task.origins("test")
    said, truth, last = forecast_all(task, predictor, origins)
    shown = [_draw_end(task, said, column) for column in range(min(len(task.facts.told), 4))]
    leads = np.arange(1, task.horizon + 1)
    by_lead = {"model": (leads, ((said.point - truth) ** 2).mean(axis=(0, 2)))}
    for name, forecaster in task.yardsticks.forecasters.items():
        guess = forecaster(task.frame.scaled_targets, origins)
        by_lead[name] = (leads, ((guess - truth) ** 2).mean(axis=(0, 2)))
    draw = functools.partial(plots.curves, series=by_lead, x_label="rows ahead", y_label="squared error, scaled",
                             title=f"{_title(task)}: test error by lead time")  # fmt: skip
    if task.horizon > 1:
        shown.append(Plot("error_by_lead", draw=draw))
    return [*shown, Plot("direction", text=_direction(task, np.asarray(said.point), truth, last))]


def forecast_all(task: Forecast, predictor: Predictor, origins: np.ndarray) -> tuple[Said, np.ndarray, np.ndarray]:
    """Forecasts from rows of the test split, the truth ``[origins, horizon, columns]`` and the last values before."""
    data, first = task.data()["test"], task.origins("test")[0]
    parts = []
    for begin in range(0, len(origins), CHUNK):
        # The last batch is filled up, so that one compiled program serves all.
        starts = np.resize(origins[begin : begin + CHUNK] - first, min(CHUNK, len(origins)))
        batch = task.windows(data, jnp.asarray(starts))
        said = task.said(predictor.predict(batch), batch)
        parts.append([None if part is None else np.asarray(part, np.float64) for part in said])
    joined = [None if p[0] is None else np.concatenate(p)[: len(origins)] for p in zip(*parts, strict=True)]
    series = task.frame.scaled_targets
    point, lower, upper, std = joined
    assert point is not None
    truth = series[origins[:, None] + np.arange(task.horizon)]
    return Said(point, lower, upper, std), truth, series[origins - 1][:, None]


def _draw_end(task: Forecast, said: Said, column: int) -> Plot:
    """The last whole horizons of the test split, each forecast at once from its beginning."""
    from lstmlab.plots import forecast as plots

    frame, horizon = task.frame, task.horizon
    count = max(1, min(PERIODS, MOST_POINTS // horizon, -(-len(said.point) // horizon)))
    chosen = np.arange(len(said.point))[::-1][::horizon][:count][::-1]
    begin = int(task.origins("test")[chosen[0]])
    end = begin + count * horizon
    scaler = task.facts.scaler.of([task.facts.told[column]])

    def joined(values: np.ndarray) -> np.ndarray:
        return scaler.restore(values[chosen, :, column].reshape(-1, 1))[:, 0]

    before = max(begin - horizon, 0)
    truth = scaler.restore(frame.scaled_targets[before:end, column, None])[:, 0]
    times = frame.table.times
    name = task.facts.target_names[column]
    bands = {}
    if said.lower is not None and said.upper is not None:
        bands = {"model": (joined(np.asarray(said.lower)), joined(np.asarray(said.upper)))}
    note = f", {100 * task.interval:g} % interval" if bands else ""
    draw = functools.partial(
        plots.forecast, times=np.arange(before, end) if times is None else times[before:end], truth=truth,
        predictions={"model": joined(np.asarray(said.point))}, bands=bands, horizon=horizon, y_label=name,
        title=f"{_title(task)}: forecasts of {horizon} rows each{note}",
    )  # fmt: skip
    return Plot(f"forecast_{file_names(task.facts.target_names)[column]}", draw=draw)


def _direction(task: Forecast, point: np.ndarray, truth: np.ndarray, last: np.ndarray) -> str:
    """Directions of the last row ahead, from origins one horizon apart: overlapping windows are not independent."""
    apart = slice(None, None, task.horizon)
    right = ((point > last) == (truth > last))[apart, -1]
    low, high = wilson(int(right.sum()), right.size)
    return (
        f"direction of the row {task.horizon} ahead right in {right.mean():.1%} of {right.size} forecasts that do not "
        f"overlap; 95 % interval (Wilson) {low:.1%} to {high:.1%}\n"
    )


def _title(task: Forecast) -> str:
    if task.data_file:
        return task.data_file.replace("\\", "/").rsplit("/", 1)[-1]
    return "weather" if task.dataset == "auto" else task.dataset
