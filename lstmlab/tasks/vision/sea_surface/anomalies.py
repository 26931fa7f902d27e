"""Monthly fields as anomalies: what is left when each calendar month's mean of the training months is taken away."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lstmlab.tasks.task import Split
from lstmlab.tasks.vision.sea_surface.dataset import SeaSurface

SHARES: dict[Split, tuple[float, float]] = {
    "train": (0.0, 2 / 3),
    "validation": (2 / 3, 5 / 6),
    "test": (5 / 6, 1.0),
}


@dataclass(frozen=True)
class Anomalies:
    """Fields without their annual cycle, and what undoes that.

    Attributes:
        fields: float32 [months, latitudes, longitudes], anomalies in units of ``deviation``; 0 on land.
        climatology: float64 [12, latitudes, longitudes], °C, mean of each calendar month; NaN on land.
        deviation: °C, standard deviation of the training months' anomalies over all sea places.
        sea: bool [latitudes, longitudes].
        calendar: int [months], 0 for January.
    """

    fields: NDArray[np.float32]
    climatology: NDArray[np.float64]
    deviation: float
    sea: NDArray[np.bool_]
    calendar: NDArray[np.int64]


def split_months(split: Split, count: int) -> tuple[int, int]:
    """First month and end of a split of ``count`` months."""
    first, end = SHARES[split]
    return round(first * count), round(end * count)


def tabulate(data: SeaSurface) -> Anomalies:
    """Anomalies of all months; climatology and deviation see training months only."""
    end = split_months("train", len(data.months))[1]
    celsius = data.temperature.astype(np.float64)
    sea = ~np.isnan(celsius[0])
    calendar = data.months.astype(np.int64) % 12
    train = celsius[:end]
    climatology = np.stack([train[calendar[:end] == month].mean(axis=0) for month in range(12)])
    anomalies = celsius - climatology[calendar]
    deviation = float(anomalies[:end, sea].std())
    fields = np.where(sea, anomalies / deviation, 0).astype(np.float32)
    return Anomalies(fields, climatology, deviation, sea, calendar)
