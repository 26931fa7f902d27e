"""Monthly sea-surface temperature of the tropical oceans, and its anomalies. Embedded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64
from numpy.typing import NDArray

from lstmlab.data.resources import embedded_path

SPLITS = {"train": (0.0, 2 / 3), "validation": (2 / 3, 5 / 6), "test": (5 / 6, 1.0)}
"""first and end of each split, as shares of all months"""
_LAND = -32768


@dataclass(frozen=True)
class SeaSurface:
    """Monthly means on a regular grid."""

    temperature: Float32[np.ndarray, "months latitudes longitudes"]
    """°C; NaN on land"""
    months: NDArray[np.datetime64]
    """datetime64[M] ``[months]``, without gaps"""
    latitude: Float32[np.ndarray, " latitudes"]
    """degrees north, ascending"""
    longitude: Float32[np.ndarray, " longitudes"]
    """degrees east from 0; the last place is next to the first"""


@dataclass(frozen=True)
class Anomalies:
    """Fields without their annual cycle, and what restores it."""

    fields: Float32[np.ndarray, "months latitudes longitudes"]
    """anomalies in units of ``deviation``; 0 on land"""
    climatology: Float64[np.ndarray, "12 latitudes longitudes"]
    """mean of each calendar month, °C; NaN on land"""
    deviation: float
    """standard deviation of the training months' anomalies over all places at sea, °C"""
    sea: Bool[np.ndarray, "latitudes longitudes"]
    calendar: Int64[np.ndarray, " months"]
    """calendar month of each month, 0 for January"""


def load_sea_surface() -> SeaSurface:
    """54 months, April 2006 to September 2010, between 5° S and 5° N: 18 × 432 places, a quarter of them land.

    Source: OSTIA analysis of the Met Office (Donlon et al. 2012), from the package `iris-sample-data` (UK Open
    Government Licence), rounded to 0.01 °C.

    Raises:
        DataError: the installation lacks the file.
    """
    with np.load(embedded_path("sea_surface.npz")) as arrays:
        hundredths = arrays["temperature"]
        temperature = np.where(hundredths == _LAND, np.nan, hundredths / 100).astype(np.float32)
        months = arrays["months"].astype("datetime64[M]")
        return SeaSurface(temperature, months, arrays["latitude"], arrays["longitude"])


def split_months(split: str, count: int) -> tuple[int, int]:
    """First month and end of a split of ``count`` months."""
    first, end = SPLITS[split]
    return round(first * count), round(end * count)


def to_anomalies(data: SeaSurface) -> Anomalies:
    """Temperatures minus the mean of their calendar month, in units of one standard deviation.

    Means and deviation are those of the training months.
    """
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
