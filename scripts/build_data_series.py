"""Build the embedded series: prices, weather, traffic, an electrocardiogram and sea-surface temperature.

    python scripts/build_data_series.py            build the files, write their hashes into PROVENANCE.md
    python scripts/build_data_series.py --check    build in memory and compare with the committed files

The packages come from the index that pip is configured for, at pinned versions.
"""

from __future__ import annotations

import csv
import gzip
import io
import sys
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import build_data  # the sibling script: Python looks beside the script that it runs
import numpy as np


def sp500(archive: Path) -> bytes:
    """S&P 500 by day: ISO dates, the source's own digits; its adjusted close equals its close."""
    source = gzip.decompress(build_data.read_member(archive, "arch/data/sp500/sp500.csv.gz")).decode("ascii")
    columns = ("Open", "High", "Low", "Close", "Volume")
    lines = ["date," + ",".join(column.lower() for column in columns)]
    for row in csv.DictReader(io.StringIO(source)):
        assert row["Adj Close"] == row["Close"], row
        date = datetime.strptime(row["Date"], "%m/%d/%Y").date().isoformat()
        lines.append(",".join([date, *(row[column] for column in columns)]))
    return gzip.compress(("\n".join(lines) + "\n").encode("ascii"), compresslevel=9, mtime=0)


def series_table(source: str, time: str, columns: tuple[str, ...]) -> bytes:
    """A table over time: ISO 8601 times below the name `time`, the chosen columns in the source's own digits."""
    lines = ["time," + ",".join(columns)]
    for row in csv.DictReader(io.StringIO(source)):
        moment = row[time].replace("/", "-").removesuffix(":00")
        lines.append(",".join([moment, *(row[column] for column in columns)]))
    return gzip.compress(("\n".join(lines) + "\n").encode("ascii"), compresslevel=9, mtime=0)


def seattle_weather(archive: Path) -> bytes:
    """Seattle's weather by day, without the column that describes it in words."""
    source = build_data.read_member(archive, "/seattle-weather.csv").decode("ascii")
    return series_table(source, "date", ("precipitation", "temp_max", "temp_min", "wind"))


def traffic(archive: Path) -> bytes:
    """Hourly traffic of a motorway with the weather, without the columns that describe it in words."""
    with zipfile.ZipFile(io.BytesIO(build_data.read_member(archive, "/data/traffic_hourly.zip"))) as inner:
        source = inner.read("traffic_hourly.zip").decode("ascii")
    return series_table(source, "datetime", ("clouds_all", "rain_1h", "snow_1h", "temp", "traffic_volume"))


def ecg(archive: Path) -> bytes:
    """An electrocardiogram with its labels, the source's own digits; `data` is named for what it holds."""
    source = build_data.read_member(archive, "datasets/data/mitdb/mitdb.csv").decode("ascii").replace("\r\n", "\n")
    header, rows = source.split("\n", 1)
    assert header == "data,label", header
    return gzip.compress(f"ecg_mV,label\n{rows}".encode("ascii"), compresslevel=9, mtime=0)


def sea_surface(archive: Path) -> bytes:
    """Monthly sea-surface temperature in hundredths of °C, int16, land -32768; latitudes, longitudes, months."""
    import h5py

    source: Any
    with h5py.File(io.BytesIO(build_data.read_member(archive, "sample_data/ostia_monthly.nc"))) as source:
        kelvin = source["surface_temperature"]
        assert kelvin.attrs["units"] == b"K"
        land = kelvin[:] == kelvin.attrs["_FillValue"]
        hundredths = np.rint((kelvin[:].astype(np.float64) - 273.15) * 100)
        # A month's bounds start at its first hour.
        first_hours = source["time_bnds"][:, 0].astype(int)
        places = {name: source[name][:] for name in ("latitude", "longitude")}
    months = (np.datetime64("1970-01-01T00", "h") + first_hours).astype("datetime64[M]").astype(np.int16)
    assert (land == land[0]).all()
    assert (np.diff(months) == 1).all()
    file = io.BytesIO()
    temperature = np.where(land, -32768, hundredths).astype(np.int16)
    np.savez_compressed(file, temperature=temperature, months=months, **places)
    return file.getvalue()


RECIPES = {
    "sp500.csv.gz": build_data.Recipe("arch==8.0.0", build_data.WHEEL, sp500),
    "seattle_weather.csv.gz": build_data.Recipe("vega-datasets==0.9.0", build_data.PURE_WHEEL, seattle_weather),
    "traffic.csv.gz": build_data.Recipe("autots==1.0.4", build_data.PURE_WHEEL, traffic),
    "ecg.csv.gz": build_data.Recipe("sktime==1.2.0", build_data.WHEEL, ecg),
    "sea_surface.npz": build_data.Recipe("iris-sample-data==2.5.2", build_data.WHEEL, sea_surface),
}


if __name__ == "__main__":
    sys.exit(build_data.main(RECIPES))
