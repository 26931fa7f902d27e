"""Series whose anomalies are labelled: an electrocardiogram, the Numenta benchmark (NAB), a CSV file."""

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

from lstmlab.data.clock import Clock, Times
from lstmlab.data.download import DataError, data_directory, fetch
from lstmlab.data.nab_registry import NAB_SERIES, nab_labels, nab_series
from lstmlab.data.resources import embedded_path
from lstmlab.data.spread import spread
from lstmlab.tasks.series.series_info import Scaler, SeriesInfo, SeriesValues
from lstmlab.tasks.series.splits import Spans
from lstmlab.tasks.series.table_options import TableOptions

ECG_HERTZ = 360
NYC_TAXI = "realKnownCause/nyc_taxi"
TRAIN_SHARES = {"ecg": 0.6, "nab": 0.15, "file": 0.5}
"""of the rows that are the training part, by source"""
NAB_MOST = 750  # rows of NAB's probationary period: 15 % of at most 5000
FITTED = 0.8  # of the training part; its last fifth stops training early


class LabelledSeries(NamedTuple):
    """A series over time, and where it is anomalous."""

    names: tuple[str, ...]
    """of the columns"""
    times: Times | Float[np.ndarray, " rows"] | None
    """dates, or seconds; None where rows are only counted"""
    values: SeriesValues
    labels: Bool[np.ndarray, " rows"] | None
    """true inside labelled windows; None for a series without labels"""
    step: np.timedelta64 | None = None
    """between rows; None where it is not known or not the same"""
    clock: Clock = Clock()
    """of the times"""

    @property
    def local_times(self) -> Times | Float[np.ndarray, " rows"] | None:
        """As ``times``; dates as a clock on the wall shows them."""
        return self.times if self.times is None or self.step is None else self.clock.local(self.times)


class AnomalySeriesSettings(NamedTuple):
    """The settings of the task on which the series and its splits depend."""

    table: TableOptions
    label: str | None
    """the column of a file that holds the labels"""
    data_dir: str | None
    source: str
    series: str
    train_share: float
    context: int
    horizon: int

    @property
    def chosen_source(self) -> str:
        """ecg, nab or file."""
        if self.source != "auto":
            return self.source
        return "file" if self.table.file else "ecg"

    def check(self) -> None:
        """Raise ``ValueError`` for settings that do not fit each other."""
        file = self.table.file
        if self.train_share >= 1:
            raise ValueError(f"task.train_share is {self.train_share}, but must be below 1: the rest is the test")
        if self.source == "file" and not file:
            raise ValueError("task.source=file needs a table: set data.file=my.csv")
        if self.chosen_source != "nab" and self.series != NYC_TAXI:
            raise ValueError(f"task.series={self.series} is set, but is of the Numenta benchmark: add task.source=nab")
        self.table.check()
        for key, name in (("target", self.table.target), ("label", self.label)):
            if name and not file:
                raise ValueError(f"data.{key}={name} is set, but is of a table: set data.file=my.csv")
        if self.source in ("ecg", "nab") and file:
            raise ValueError(f"task.source={self.source} and data.file={self.table.shown_file}: set one of them")

    def load(self) -> LabelledSeries:
        """The series. Raises ``DataError``."""
        if self.chosen_source == "ecg":
            return load_ecg()
        if self.chosen_source == "nab":
            return load_nab(self.series, self.data_dir)
        return read_labelled(self.table, self.label)


def load_ecg() -> LabelledSeries:
    """7500 samples (21 s at 360 Hz) of an electrocardiogram in mV with one labelled window, a premature beat. Embedded.

    Source: the Python package ``sktime`` (BSD 3-clause), from the MIT-BIH arrhythmia database (Moody & Mark 2001). The
    window is samples 6936 … 7287: a beat that comes two thirds of an interval after the one before, and the pause that
    follows it.
    """
    text = gzip.decompress(embedded_path("ecg.csv.gz").read_bytes()).decode("ascii")
    rows = np.array([line.split(",") for line in text.splitlines()[1:]], dtype=np.float64)
    return LabelledSeries(("ecg_mV",), np.arange(len(rows)) / ECG_HERTZ, rows[:, :1], rows[:, 1] > 0)


@functools.lru_cache(maxsize=8)
def load_nab(name: str, data_dir: str | os.PathLike[str] | None = None) -> LabelledSeries:
    """One series of the Numenta anomaly benchmark v1.1, such as ``realKnownCause/nyc_taxi``; downloaded.

    Rows are taken as they come: some files leave out rows or write an hour twice, where clocks were put back. A row is
    anomalous when its time lies within one of the file's windows (ends included), as NAB counts it.

    Raises:
        DataError: there is no such series, or its file cannot be downloaded.
    """
    if name not in NAB_SERIES:
        raise DataError(_no_series(name))
    directory = data_directory(data_dir)
    try:
        path, labels_path = fetch(nab_series(name), directory), fetch(nab_labels(), directory)
    except DataError as error:
        raise DataError(
            f"{error}; NAB is the repository numenta/NAB on GitHub: its folders data and labels belong below "
            f"{directory / 'nab'}, or set data.dir to a folder that holds nab"
        ) from None
    windows = json.loads(labels_path.read_text(encoding="utf-8"))[f"{name}.csv"]
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    times = np.array([row["timestamp"] for row in rows], dtype="datetime64[s]")
    values = np.array([[float(row["value"])] for row in rows])
    labels = np.zeros(len(rows), bool)
    for first, last in windows:
        labels |= (times >= np.datetime64(first)) & (times <= np.datetime64(last))
    return LabelledSeries(("value",), times, values, labels)


def _no_series(name: str) -> str:
    """The message for a series that NAB does not have, with those whose names are near, or else its folders."""
    tails = {known.split("/")[1]: known for known in NAB_SERIES}
    near = difflib.get_close_matches(name.split("/")[-1].removesuffix(".csv"), tails, n=3, cutoff=0.5)
    inside = [known for known in NAB_SERIES if name.rstrip("/") == known.split("/")[0]]
    listed = inside or [tails[tail] for tail in near]
    hint = f"; near it: {', '.join(listed)}" if listed else ""
    folders = ", ".join(dict.fromkeys(known.split("/")[0] for known in NAB_SERIES))
    return f"task.series: NAB has no series '{name}'{hint} (written FOLDER/NAME; folders: {folders})"


def read_labelled(options: TableOptions, label: str | None) -> LabelledSeries:
    """A CSV file of your own; its column ``label``, if one is named, holds 0 and 1. Raises ``DataError``."""
    kept = () if label is None else (label,)
    table = options.read(columns=(options.target,)) if options.target else options.read(keep=kept)
    names, values = list(table.names), table.values
    if label is None:
        return LabelledSeries(tuple(names), table.times, values, None, table.step, table.clock)
    if label not in names:  # data.columns leaves it out
        marked = options.read(columns=(label,)).values[:, 0]
    else:
        marked = values[:, names.index(label)]
        values = np.delete(values, names.index(label), axis=1)
        names.remove(label)
    wrong = np.flatnonzero((marked != 0) & (marked != 1))
    if len(wrong):
        raise DataError(
            f"{options.file}, row {wrong[0] + 1} of data, column '{label}': {marked[wrong[0]]:g}, but a "
            "label is 0 (normal) or 1 (anomalous)"
        )
    if not names:
        raise DataError(
            f"{options.file} has no column besides the labels, '{label}', that holds measurements; data.columns=[a,b] "
            "names what is read"
        )
    return LabelledSeries(tuple(names), table.times, values, marked > 0, table.step, table.clock)


class SplitSeries(NamedTuple):
    """A series with its splits by time; training and validation together are the training part."""

    series: LabelledSeries
    spans: Spans
    """the rows that each split forecasts"""

    @property
    def train_end(self) -> int:
        """Where the training part ends and the test begins."""
        return self.spans["test"][0]

    @property
    def test_labels(self) -> Bool[np.ndarray, " rows"] | None:
        """Of the test rows."""
        return None if self.series.labels is None else self.series.labels[self.train_end :]

    def info(self) -> SeriesInfo:
        """Names, step and the scaler of the training part; raises ``DataError`` when a column is constant there, or
        changes by rounding alone."""
        values = self.series.values[: self.train_end]
        constant = [name for name, deviation in zip(self.series.names, spread(values), strict=True) if not deviation]
        if constant:
            raise DataError(
                f"column '{constant[0]}' never changes in the {self.train_end} rows of the training part: nothing can "
                "be learned; take a larger task.train_share"
            )
        return SeriesInfo(self.series.names, Scaler.fit(values), self.series.step, self.series.clock)


def split_series(series: LabelledSeries, settings: AnomalySeriesSettings) -> SplitSeries:
    """Training, validation and test; raises ``DataError`` when one of them cannot hold a single forecast."""
    rows, context, horizon = len(series.values), settings.context, settings.horizon
    train_end = training_rows(settings.chosen_source, rows, settings.train_share)
    fitted = int(FITTED * train_end)
    spans: Spans = {"train": (0, fitted), "validation": (fitted, train_end), "test": (train_end, rows)}
    for split, (first, end) in spans.items():
        needed = context + horizon if split == "train" else horizon
        if end - first < needed:
            raise DataError(
                f"the {split} split has {end - first} of the {rows} rows, but needs at least {needed}: shorten "
                f"task.context ({context}) or task.horizon ({horizon}), or change task.train_share"
            )
    return SplitSeries(series, spans)


def training_rows(source: str, rows: int, share: float) -> int:
    """Rows of the training part: ``share`` of all, or with 0 what is usual for the source."""
    if share:
        return int(share * rows)
    usual = int(TRAIN_SHARES[source] * rows)
    return min(usual, NAB_MOST) if source == "nab" else usual
