"""Maps and a film of forecasts of sea-surface temperature."""

from __future__ import annotations

import functools

import numpy as np
from jaxtyping import Float

from lstmlab.plots import maps
from lstmlab.tasks.task import Plot
from lstmlab.tasks.vision.sea_surface.dataset import Anomalies, SeaSurface


def plots(
    records: SeaSurface, anomalies: Anomalies,
    forecasts: Float[np.ndarray, "forecasts horizon latitudes longitudes"], first: int,
) -> list[Plot]:  # fmt: skip
    """Maps of the first forecast beside the truth, and a film of all forecasts ``horizon`` months ahead.

    ``forecasts`` are anomalies in °C; the first one starts with month ``first``, each later one a month later.
    """
    horizon = forecasts.shape[1]
    observed = np.where(anomalies.sea, anomalies.fields * anomalies.deviation, np.nan)
    forecasts = np.where(anomalies.sea, forecasts, np.nan)
    fields = []
    for lead in range(horizon):
        month, truth, forecast = records.months[first + lead], observed[first + lead], forecasts[0, lead]
        fields += [
            (f"{month}, truth", truth), (f"{month}, forecast", forecast),
            (f"{month}, forecast − truth", forecast - truth),
        ]  # fmt: skip
    draw = functools.partial(
        maps.maps, fields=fields, latitude=records.latitude, longitude=records.longitude,
        label="sea-surface temperature anomaly, °C", title=f"Forecast from the end of {records.months[first - 1]}",
    )  # fmt: skip
    lead = horizon - 1
    shown = first + lead + np.arange(len(forecasts))
    film = maps.film(
        {"truth": observed[shown], f"forecast {horizon} months before": forecasts[:, lead]},
        [str(month) for month in records.months[shown]],
    )
    return [Plot("maps", draw=draw), Plot("film", frames=film)]
