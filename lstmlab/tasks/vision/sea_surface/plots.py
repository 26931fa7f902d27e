"""Maps and a film of forecasts of sea-surface temperature."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

from lstmlab.tasks.task import Plot

if TYPE_CHECKING:
    from lstmlab.tasks.vision.sea_surface.task import SeaSurfaceTask


def plot(task: SeaSurfaceTask, forecasts: np.ndarray) -> list[Plot]:
    """Pictures of anomaly forecasts in °C, ``[forecasts, horizon, latitudes, longitudes]``, of the test split."""
    from lstmlab.plots import maps

    table, (first, _) = task.table, task.span("test")
    observed = np.where(table.sea, table.fields * table.deviation, np.nan)
    forecasts = np.where(table.sea, forecasts, np.nan)
    fields = []
    for lead in range(task.horizon):
        month, truth, forecast = task.records.months[first + lead], observed[first + lead], forecasts[0, lead]
        fields += [
            (f"{month}, truth", truth), (f"{month}, forecast", forecast),
            (f"{month}, forecast − truth", forecast - truth),
        ]  # fmt: skip
    draw = functools.partial(
        maps.maps, fields=fields, latitude=task.records.latitude, longitude=task.records.longitude,
        label="sea-surface temperature anomaly, °C",
        title=f"Forecast from the end of {task.records.months[first - 1]}",
    )  # fmt: skip
    lead = task.horizon - 1
    shown = first + lead + np.arange(len(forecasts))
    film = maps.film(
        {"truth": observed[shown], f"forecast {task.horizon} months before": forecasts[:, lead]},
        [str(month) for month in task.records.months[shown]],
    )
    return [Plot("maps", draw=draw), Plot("film", frames=film)]
