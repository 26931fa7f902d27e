"""``lstmlab forecast``: what comes after the end of a file."""

from __future__ import annotations

import csv
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from lstmlab.commands._input_file import add_file_arguments, read_input_file
from lstmlab.commands._parser import run_parser_for
from lstmlab.config import ConfigError
from lstmlab.data.download import DataError
from lstmlab.data.table import Table
from lstmlab.data.times import following_on
from lstmlab.plots import forecast as plots
from lstmlab.tasks.series.distributions import Prediction
from lstmlab.tasks.series.forecast.task import Forecast
from lstmlab.tracking.files import file_names
from lstmlab.training import Trained, load

PLOTTED_HORIZONS = 3
"""how much of the past a plot shows, in horizons"""
MIDNIGHT = " 00:00:00"


def main(arguments: list[str]) -> None:
    """Forecast what comes after the end of a CSV file: a table, and a plot of each column."""
    parser = run_parser_for(main)
    add_file_arguments(parser, "forecast")
    chosen = parser.parse_args(arguments)
    trained = load(chosen.run)
    task = trained.task
    if not isinstance(task, Forecast):
        raise ConfigError(f"{chosen.run} holds a run of task {task.name}, which forecasts no series")
    why = f"the run looks back on task.window={task.window}"
    table = read_input_file(task, task.info, chosen, task.window, why)
    times = future_times(task, table)
    try:
        prediction = forecast_after(trained, task, table, times)
    except ValueError as error:
        raise DataError(f"{chosen.file}: {error}") from None
    output = chosen.output or chosen.run / "forecast"
    output.mkdir(parents=True, exist_ok=True)
    path = output / "forecast.csv"
    write(path, task, written(table, times), prediction)
    print(path)
    for column, name in enumerate(file_names(task.info.target_names)):
        plot = output / f"forecast_{name}.png"
        draw(plot, task, table, times, prediction, column)
        print(plot)


def future_times(task: Forecast, table: Table) -> np.ndarray:
    """The times to forecast, ``[horizon]``; numbers of rows where the file has no regular times."""
    if table.times is None or table.step is None:
        return len(table.values) + np.arange(task.horizon)
    return following_on(table.clock, table.times, table.step, task.horizon)


def written(table: Table, times: np.ndarray) -> dict[str, list[str]]:
    """The times to forecast as text, or the numbers of the rows, below the name of their column.

    With the offset from UTC where the file has one, and without the time of day where all rows are at midnight.
    """
    if times.dtype.kind != "M":
        return {"row": [str(row) for row in times]}
    texts = table.clock.written(times)
    if table.clock.offset is None and all(text.endswith(MIDNIGHT) for text in texts):
        texts = [text.removesuffix(MIDNIGHT) for text in texts]
    return {"time": texts}


def forecast_after(trained: Trained, task: Forecast, table: Table, times: np.ndarray) -> Prediction:
    """The forecast, ``[horizon, columns]``, in the file's units."""
    info, window = task.info, task.window
    values = np.zeros((window + task.horizon, len(info.names)))
    values[:window] = info.scaler.scale(table.values[-window:])
    local = None
    if task.calendar or task.climatology:
        assert table.times is not None
        around = np.concatenate([table.times[-window:], times])
        local = (table.clock if info.clock is None else info.clock).local_from(around, table.clock)
    rows = np.concatenate([values, *info.features_of_times(task.calendar, local)], axis=1)
    batch = task.batch_of(jnp.asarray(rows, jnp.float32)[None])
    scaled = task.prediction(trained.predict(batch), batch)
    scaler = info.scaler.of(info.targets)

    def restored(part: Any) -> np.ndarray:
        return scaler.restore(np.asarray(part, np.float64)[0])

    bounds = (None if part is None else restored(part) for part in (scaled.lower, scaled.upper))
    return Prediction(restored(scaled.point), *bounds)


def write(path: Path, task: Forecast, times: Mapping[str, list[str]], prediction: Prediction) -> None:
    """One line per time (or number of a row, from 0) and column: the forecast and, where there is one, its interval."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        bounds = ["lower", "upper"] if prediction.lower is not None else []
        [(title, texts)] = times.items()
        writer.writerow([title, "column", "forecast", *bounds])
        for row, text in enumerate(texts):
            for column, name in enumerate(task.info.target_names):
                parts = [p for p in (prediction.point, prediction.lower, prediction.upper) if p is not None]
                writer.writerow([text, name, *(f"{p[row, column]:.8g}" for p in parts)])


def draw(path: Path, task: Forecast, table: Table, times: np.ndarray, prediction: Prediction, column: int) -> None:
    """Plot the end of the file and the forecast of one column."""
    count = max(task.window, PLOTTED_HORIZONS * task.horizon)
    past = table.values[-count:, task.info.targets[column]]
    before = np.arange(len(table.values)) if table.step is None else table.local_times
    assert before is not None  # a step is one of times
    after = times if table.step is None else table.clock.local(times)
    bounds = {}
    if prediction.lower is not None and prediction.upper is not None:
        bounds = {"forecast": (prediction.lower[:, column], prediction.upper[:, column])}
    name = task.info.target_names[column]
    note = f" and {100 * task.interval:g} % interval" if bounds else ""
    show = functools.partial(
        plots.forecast, y_label=name, title=f"{name}: forecast{note}", bands=bounds, truth_name="file"
    )
    truth = np.concatenate([past, np.full(task.horizon, np.nan)])
    show(path, np.concatenate([before[-count:], after]), truth, {"forecast": prediction.point[:, column]})
