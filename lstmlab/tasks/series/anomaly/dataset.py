"""The series of an anomaly task, and its splits in time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from lstmlab.data.download import DataError
from lstmlab.tasks.series.anomaly.labelled import Labelled, load_ecg, load_nab
from lstmlab.tasks.series.splits import Scaler
from lstmlab.tasks.task import Split

SHARES = {"ecg": 0.6, "nab": 0.15, "file": 0.5}
"""of the rows that are the training part, by source"""
NAB_MOST = 750  # rows of NAB's probationary period: 15 % of at most 5000
FITTED = 0.8  # of the training part; its last fifth stops training early


class Facts(NamedTuple):
    """What a trained detector needs of its series to be used on other rows."""

    names: tuple[str, ...]
    scaler: Scaler
    """of the training part"""
    step: np.timedelta64 | None

    @classmethod
    def of(cls, series: Labelled, train_end: int) -> Facts:
        """Raises ``DataError`` when a column is constant in the training part."""
        values = series.values[:train_end]
        still = [n for n, column in zip(series.names, values.T, strict=True) if column.min() == column.max()]
        if still:
            raise DataError(
                f"column '{still[0]}' never changes in the {train_end} rows of the training part: nothing can be "
                "learned; take a larger task.train_share"
            )
        return cls(series.names, Scaler.fit(values), series.step)

    def plain(self) -> dict[str, Any]:
        """As plain values; inverse of :meth:`from_plain`."""
        unit = None if self.step is None else [int(self.step.astype(np.int64)), np.datetime_data(self.step.dtype)[0]]
        mean, std = (part.tolist() for part in self.scaler)
        return {"names": list(self.names), "mean": mean, "std": std, "step": unit}

    @classmethod
    def from_plain(cls, kept: Mapping[str, Any]) -> Facts:
        """Raises ``KeyError``, ``TypeError`` or ``ValueError`` for other values."""
        scaler = Scaler(np.asarray(kept["mean"], np.float64), np.asarray(kept["std"], np.float64))
        return cls(tuple(kept["names"]), scaler, None if kept["step"] is None else np.timedelta64(*kept["step"]))


def load_labelled(task: Any) -> Labelled:
    """The series that a task's options choose. Raises ``DataError``."""
    if task.chosen_source == "ecg":
        return load_ecg()
    if task.chosen_source == "nab":
        return load_nab(task.series, task.data_dir)
    return read_labelled(task)


def read_labelled(task: Any, path: str | None = None) -> Labelled:
    """A CSV file of one's own; its column ``data.label``, where set, is 0 or 1. Raises ``DataError``."""
    label = task.data_label
    table = task.read_file(path, columns=(task.data_target,)) if task.data_target else task.read_file(path)
    names, values = list(table.names), table.values
    if label is None:
        return Labelled(tuple(names), table.times, values, None, table.step)
    if label not in names:  # data.columns leaves it out
        marked = task.read_file(path, columns=(label,)).values[:, 0]
    else:
        marked = values[:, names.index(label)]
        values = np.delete(values, names.index(label), axis=1)
        names.remove(label)
    if not names:
        raise DataError(f"{path or task.data_file} has no column besides the labels, '{label}'")
    wrong = np.flatnonzero((marked != 0) & (marked != 1))
    if len(wrong):
        raise DataError(
            f"{path or task.data_file}, row {wrong[0] + 1} of data, column '{label}': {marked[wrong[0]]:g}, but a "
            "label is 0 (normal) or 1 (anomalous)"
        )
    return Labelled(tuple(names), table.times, values, marked > 0, table.step)


def training_rows(source: str, rows: int, share: float) -> int:
    """Rows of the training part: ``share`` of all, or with 0 what is usual for the source."""
    if share:
        return int(share * rows)
    usual = int(SHARES[source] * rows)
    return min(usual, NAB_MOST) if source == "nab" else usual


def split_rows(rows: int, train_end: int, context: int, horizon: int) -> dict[Split, tuple[int, int]]:
    """First row and end of each split: the training part ends at ``train_end``, and its last fifth validates.

    Raises ``DataError`` when a split cannot hold a single forecast.
    """
    fitted = int(FITTED * train_end)
    spans: dict[Split, tuple[int, int]] = {
        "train": (0, fitted), "validation": (fitted, train_end), "test": (train_end, rows),
    }  # fmt: skip
    for split, (first, end) in spans.items():
        needed = context + horizon if split == "train" else horizon
        if end - first < needed:
            raise DataError(
                f"the {split} split has {end - first} of the {rows} rows, but needs at least {needed}: shorten "
                f"task.context ({context}) or task.horizon ({horizon}), or change task.train_share"
            )
    return spans
