"""Multivariate series by name: embedded ones, and the ETT benchmark by download."""

from __future__ import annotations

import functools
import os
from typing import NamedTuple

from lstmlab.data.download import data_directory, fetch
from lstmlab.data.registry import REGISTRY
from lstmlab.data.resources import embedded_path
from lstmlab.data.table import Table, read_table

ETT_MONTH_HOURS = 30 * 24


class SeriesInfo(NamedTuple):
    """What a data set says of itself."""

    target: str
    """the column that univariate forecasts are of"""
    season: int
    """rows after which the target repeats itself, more or less"""
    columns: tuple[str, ...] = ()
    """those that are read; none: all"""
    borders: tuple[int, int, int] | None = None
    """rows at which training, validation and test end, where the field has agreed on them"""


def _ett(rows_per_hour: int) -> SeriesInfo:
    """12, 4 and 4 months of 30 days, as Informer (Zhou et al. 2021) splits them; the rest of the file is not used."""
    month = ETT_MONTH_HOURS * rows_per_hour
    return SeriesInfo("OT", 24 * rows_per_hour, borders=(12 * month, 16 * month, 20 * month))


SERIES: dict[str, SeriesInfo] = {
    "weather": SeriesInfo("temp_max", 365),
    # snow_1h is left out: it is 0 in every row.
    "traffic": SeriesInfo("traffic_volume", 168, columns=("clouds_all", "rain_1h", "temp", "traffic_volume")),
    "ETTh1": _ett(1),
    "ETTh2": _ett(1),
    "ETTm1": _ett(4),
    "ETTm2": _ett(4),
}
_EMBEDDED = {"weather": "seattle_weather.csv.gz", "traffic": "traffic.csv.gz"}


def load_series(name: str, data_dir: str | os.PathLike[str] | None = None) -> Table:
    """The data set of that name.

    * ``weather``: Seattle by day, 2012–2015: rain (mm), highest and lowest temperature (°C), wind (m/s). Embedded.
    * ``traffic``: vehicles per hour on a motorway, with the weather, October 2016 – September 2018. Embedded; its 104
      empty rows repeat the row before.
    * ``ETTh1``, ``ETTh2`` (by hour), ``ETTm1``, ``ETTm2`` (by 15 minutes): loads and oil temperature of an
      electricity transformer (Zhou et al. 2021), downloaded.

    Raises ``DataError`` when a download cannot be had.
    """
    return _load(name, str(data_directory(data_dir)))


@functools.lru_cache(maxsize=8)
def _load(name: str, data_dir: str) -> Table:
    path = embedded_path(_EMBEDDED[name]) if name in _EMBEDDED else fetch(REGISTRY[name.lower()], data_dir)
    return read_table(path, columns=SERIES[name].columns, missing="forward")
