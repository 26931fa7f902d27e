"""A series as a forecaster sees it: splits by time, a scaler fitted on the training rows, features of the calendar."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from lstmlab.data.download import DataError
from lstmlab.data.table import Table
from lstmlab.data.times import Times
from lstmlab.tasks.task import Split

SHARES = (0.7, 0.8, 1.0)
"""of the rows, at which training, validation and test end where a data set has no borders of its own"""
DAY, WEEK, YEAR = 86400.0, 604800.0, 365.2425 * 86400.0


class Scaler(NamedTuple):
    """z = (x − mean) / std for each column; both of the training rows."""

    mean: Float[np.ndarray, " columns"]
    std: Float[np.ndarray, " columns"]

    @classmethod
    def fit(cls, values: Float[np.ndarray, "rows columns"]) -> Scaler:
        """The scaler of the rows given; a constant column is only shifted."""
        std = values.std(axis=0)
        return cls(values.mean(axis=0), np.where(std > 0, std, 1.0))

    def scale(self, values: np.ndarray) -> np.ndarray:
        """From the data's units."""
        return (values - self.mean) / self.std

    def restore(self, scaled: np.ndarray) -> np.ndarray:
        """To the data's units."""
        return scaled * self.std + self.mean

    def of(self, columns: list[int]) -> Scaler:
        """The scaler of some columns."""
        return Scaler(self.mean[columns], self.std[columns])


def borders(rows: int, fold: int, folds: int, given: tuple[int, int, int] | None) -> dict[Split, tuple[int, int]]:
    """First row and end of each split.

    Without folds: at ``given``, or at 70, 80 and 100 percent. With n folds the last half of the series is cut into n
    test periods; each is validated on the period of the same length before it and trained on all rows before that, so
    that later folds train on more (walk forward).
    """
    if folds > 1:
        length = rows // (2 * folds)
        end = rows - (folds - 1 - fold) * length
        ends = (end - 2 * length, end - length, end)
    else:
        ends = given or (int(SHARES[0] * rows), int(SHARES[1] * rows), rows)
    return {"train": (0, ends[0]), "validation": (ends[0], ends[1]), "test": (ends[1], ends[2])}


def check_rows(spans: dict[Split, tuple[int, int]], window: int, horizon: int) -> None:
    """Raises ``DataError`` when a split cannot hold one window and its horizon."""
    for split, (first, end) in spans.items():
        needed = window + horizon if split == "train" else horizon
        if end - first < needed:
            raise DataError(
                f"the {split} split has {end - first} rows, but needs at least {needed}: shorten task.window "
                f"({window}) or task.horizon ({horizon}), or give a longer series"
            )


def calendar(times: Times, step: np.timedelta64) -> Float[np.ndarray, "rows features"]:
    """Sine and cosine of the time of day, the day of the week and the day of the year: those that take longer than
    a step, so that they differ from row to row. A step of a year or more has none: an array without columns.
    """
    seconds = times.astype("datetime64[s]").astype(np.float64)
    angles = [2 * np.pi * seconds / period for period in (DAY, WEEK, YEAR) if _seconds(step) < period]
    waves = [wave(angle) for angle in angles for wave in (np.sin, np.cos)]
    return np.stack(waves, axis=1) if waves else np.empty((len(times), 0))


def _seconds(step: np.timedelta64) -> float:
    """The length of a step; of one in months, on average."""
    count = float(step.astype(np.int64))
    return count * YEAR / 12 if np.datetime_data(step.dtype)[0] == "M" else count


def inferred_season(table: Table) -> int:
    """Rows in the natural season of a step: a day for steps below one, a week for days, a year for weeks, months and
    quarters; 1, which makes the seasonal naive forecast persistence, where there is none or no times.
    """
    if table.step is None:
        return 1
    count = int(table.step.astype(np.int64))
    if np.datetime_data(table.step.dtype)[0] == "M":
        return 12 // count if count < 12 and 12 % count == 0 else 1
    if count < DAY:
        return int(DAY // count) if DAY % count == 0 else 1
    return {int(DAY): 7, int(WEEK): 52}.get(count, 1)
