"""A forecasting task on a CSV file whose later rows may be replaced."""

import numpy as np

from lstmlab.tasks.series.forecast.task import Forecast

ROWS = 200


def values(changed_from=ROWS):
    """Two columns of a series, the rows from one on replaced by others."""
    rng = np.random.default_rng(0)
    made = np.cumsum(rng.normal(size=(ROWS, 2)), axis=0)
    made[changed_from:] = 100 * rng.normal(size=(ROWS - changed_from, 2))
    return made


def make_task(folder, changed_from=ROWS, hours=1, **options):
    """A task on a CSV file of those values, by the hour."""
    times = np.datetime64("2020-02-27T00") + hours * np.arange(ROWS)
    lines = [f"{t},{a!r},{b!r}" for t, (a, b) in zip(times, values(changed_from).tolist(), strict=True)]
    path = folder / f"series{changed_from}_{hours}.csv"
    path.write_text("\n".join(["time,load,wind", *lines]) + "\n")
    settings = {"window": 6, "horizon": 4, "features": "MS", "data_target": "load"} | options
    return Forecast(data_file=str(path), **settings)


def whole(task, split):
    """All windows of a split as one batch."""
    return task.windows(task.data()[split], np.arange(len(task.origins(split))))
