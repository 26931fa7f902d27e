"""Splits of a series by time."""

from __future__ import annotations

from lstmlab.data.download import DataError
from lstmlab.tasks.specs import Split

Spans = dict[Split, tuple[int, int]]
"""first row and end of each split"""

SHARES = (0.7, 0.8, 1.0)
"""of the rows, at which training, validation and test end where a data set has no borders of its own"""


def split_by_time(rows: int, fold: int, folds: int, borders: tuple[int, int, int] | None) -> Spans:
    """The splits of a series of ``rows`` rows.

    Without folds they end at ``borders``, or at 70, 80 and 100 percent. With n folds the last half of the series is
    cut into n test periods; each is validated on the period of the same length before it and trained on all rows
    before that, so that later folds train on more (walk forward).
    """
    if folds > 1:
        length = rows // (2 * folds)
        end = rows - (folds - 1 - fold) * length
        ends = (end - 2 * length, end - length, end)
    else:
        ends = borders or (int(SHARES[0] * rows), int(SHARES[1] * rows), rows)
    return {"train": (0, ends[0]), "validation": (ends[0], ends[1]), "test": (ends[1], ends[2])}


def check_rows(spans: Spans, window: int, horizon: int) -> None:
    """Raise ``DataError`` when a split cannot hold one window and its horizon."""
    for split, (first, end) in spans.items():
        needed = window + horizon if split == "train" else horizon
        if end - first < needed:
            raise DataError(
                f"the {split} split has {end - first} rows, but needs at least {needed}: shorten task.window "
                f"({window}) or task.horizon ({horizon}), or give a longer series"
            )
