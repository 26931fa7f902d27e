"""Sea-surface temperature of the tropical oceans, month by month. Embedded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lstmlab.data.resources import embedded_path

_LAND = -32768


@dataclass(frozen=True)
class SeaSurface:
    """Monthly means on a regular grid.

    Attributes:
        temperature: float32 [months, latitudes, longitudes], °C; NaN on land.
        months: datetime64[M] [months], without gaps.
        latitude: float32, degrees north, ascending.
        longitude: float32, degrees east from 0; the last place is the first one's neighbour.
    """

    temperature: NDArray[np.float32]
    months: NDArray[np.datetime64]
    latitude: NDArray[np.float32]
    longitude: NDArray[np.float32]


def load_sea_surface() -> SeaSurface:
    """54 months, April 2006 to September 2010, between 5° S and 5° N: 18 × 432 places, a quarter of them land.

    Source: OSTIA analysis of the Met Office (Donlon et al. 2012), by way of the package `iris-sample-data` (UK Open
    Government Licence), rounded to 0.01 °C.

    Raises:
        DataError: the installation lacks the file.
    """
    with np.load(embedded_path("sea_surface.npz")) as arrays:
        hundredths = arrays["temperature"]
        temperature = np.where(hundredths == _LAND, np.nan, hundredths / 100).astype(np.float32)
        months = arrays["months"].astype("datetime64[M]")
        return SeaSurface(temperature, months, arrays["latitude"], arrays["longitude"])
