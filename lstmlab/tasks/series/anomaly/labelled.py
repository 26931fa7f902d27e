"""Series whose anomalies are labelled: an electrocardiogram, the Numenta benchmark."""

from __future__ import annotations

import csv
import difflib
import functools
import gzip
import json
import os
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from lstmlab.data.download import DataError, data_directory, fetch
from lstmlab.data.resources import embedded_path
from lstmlab.data.times import Times
from lstmlab.tasks.series.anomaly.nab_files import SERIES, nab_labels, nab_series

ECG_HERTZ = 360


class Labelled(NamedTuple):
    """A series over time, and where it is anomalous."""

    names: tuple[str, ...]
    """of the columns"""
    times: Times | Float[np.ndarray, " rows"] | None
    """dates, or seconds; None where rows are only counted"""
    values: Float[np.ndarray, "rows columns"]
    labels: Bool[np.ndarray, " rows"] | None
    """true inside labelled windows; None where nothing is known"""
    step: np.timedelta64 | None = None
    """between rows; None where it is not known or not the same"""


def load_ecg() -> Labelled:
    """7500 samples (21 s at 360 Hz) of an electrocardiogram in mV with one labelled window, a premature beat. Embedded.

    Source: the Python package ``sktime`` (BSD 3-clause), from the MIT-BIH arrhythmia database (Moody & Mark 2001). The
    window is samples 6936 … 7287: a beat that comes two thirds of an interval after the one before, and the pause that
    follows it.
    """
    text = gzip.decompress(embedded_path("ecg.csv.gz").read_bytes()).decode("ascii")
    rows = np.array([line.split(",") for line in text.splitlines()[1:]], dtype=np.float64)
    return Labelled(("ecg_mV",), np.arange(len(rows)) / ECG_HERTZ, rows[:, :1], rows[:, 1] > 0)


@functools.lru_cache(maxsize=8)
def load_nab(name: str, data_dir: str | os.PathLike[str] | None = None) -> Labelled:
    """One series of the Numenta anomaly benchmark v1.1, such as ``realKnownCause/nyc_taxi``; downloaded.

    Rows are taken as they come: some files leave out rows or write an hour twice, where clocks were put back. A row is
    anomalous when its time lies within one of the file's windows (ends included), as NAB counts it.

    Raises:
        DataError: no such series, or a file that cannot be had.
    """
    if name not in SERIES:
        raise DataError(_no_series(name))
    directory = data_directory(data_dir)
    try:
        path, labels_path = fetch(nab_series(name), directory), fetch(nab_labels(), directory)
    except DataError as error:
        raise DataError(
            f"{error}; NAB is the repository numenta/NAB on GitHub: its folders data and labels belong below "
            f"{directory / 'nab'}, or set data.dir to a folder that holds nab"
        ) from None
    windows = json.loads(labels_path.read_text())[f"{name}.csv"]
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    times = np.array([row["timestamp"] for row in rows], dtype="datetime64[s]")
    values = np.array([[float(row["value"])] for row in rows])
    labels = np.zeros(len(rows), bool)
    for first, last in windows:
        labels |= (times >= np.datetime64(first)) & (times <= np.datetime64(last))
    return Labelled(("value",), times, values, labels)


def _no_series(name: str) -> str:
    """The message for a series that NAB does not have, with those whose names are near, or else its folders."""
    tails = {known.split("/")[1]: known for known in SERIES}
    near = difflib.get_close_matches(name.split("/")[-1].removesuffix(".csv"), tails, n=3, cutoff=0.5)
    inside = [known for known in SERIES if name.rstrip("/") == known.split("/")[0]]
    listed = inside or [tails[tail] for tail in near]
    hint = f"; near it: {', '.join(listed)}" if listed else ""
    folders = ", ".join(dict.fromkeys(known.split("/")[0] for known in SERIES))
    return f"task.series: NAB has no series '{name}'{hint} (written FOLDER/NAME; folders: {folders})"
