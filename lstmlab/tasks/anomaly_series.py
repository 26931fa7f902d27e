"""The series of an anomaly task, and its splits in time."""

from __future__ import annotations

from typing import Any

import numpy as np

from lstmlab.data.download import DataError
from lstmlab.data.labelled import Labelled, load_ecg, load_nab
from lstmlab.tasks.base import Split

SHARES = {"ecg": 0.6, "nab": 0.15, "file": 0.5}
"""of the rows that are the training part, by source"""
FITTED = 0.8  # of the training part; its last fifth stops training early


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
        return Labelled(tuple(names), table.times, values, None)
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
            f"{path or task.data_file}, row {wrong[0] + 1} of data, column '{label}': {marked[wrong[0]]:g}, but a label "
            "is 0 (normal) or 1 (anomalous)"
        )
    return Labelled(tuple(names), table.times, values, marked > 0)


def split_rows(rows: int, share: float, context: int, horizon: int) -> dict[Split, tuple[int, int]]:
    """First row and end of each split: the training part is the first ``share``, of which the last fifth validates.

    Raises ``DataError`` when a split cannot hold a single forecast.
    """
    train_end = int(share * rows)
    fitted = int(FITTED * train_end)
    spans: dict[Split, tuple[int, int]] = {
        "train": (0, fitted), "validation": (fitted, train_end), "test": (train_end, rows),
    }  # fmt: skip
    for split, (first, end) in spans.items():
        needed = context + horizon if split == "train" else horizon
        if end - first < needed:
            raise DataError(
                f"the {split} split has {end - first} of the {rows} rows, but needs at least {needed}: shorten "
                f"task.context ({context}) or task.horizon ({horizon}), or change task.train_share ({share:g})"
            )
    return spans
