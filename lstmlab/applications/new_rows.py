"""A CSV file that a trained run is to read: its columns, at its pace."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from lstmlab.data.download import DataError
from lstmlab.data.table import Table
from lstmlab.data.times import step_name
from lstmlab.tasks.tabular import TabularTask


class Known(Protocol):
    """What a run knows of the rows that it was trained on."""

    @property
    def names(self) -> Sequence[str]:
        """The columns."""
        ...

    @property
    def step(self) -> np.timedelta64 | None:
        """The time between two rows."""
        ...


def read_new_rows(task: TabularTask, known: Known, path: Path, needed: int, why: str) -> Table:
    """The file, with the columns and the time step of the run, and ``needed`` rows or more.

    Raises ``DataError`` where they are not there; ``why`` says what the rows are needed for. A run whose own rows were
    not one step apart makes no demands on times.
    """
    rules = {"gaps": "ignore"} if known.step is None else {}
    table = task.read_file(str(path), columns=known.names, **rules)
    if len(table.values) < needed:
        raise DataError(f"{path} has {len(table.values)} rows, but {why}")
    if known.step is not None and table.step != known.step:
        has = "no column of times" if table.step is None else f"one row every {step_name(table.step)}"
        raise DataError(f"{path} has {has}, but the run was trained on one row every {step_name(known.step)}")
    return table
