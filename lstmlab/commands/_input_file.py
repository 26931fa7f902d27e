"""The CSV file of new rows that ``forecast`` and ``detect`` give to a trained model."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from lstmlab.data.clock import AMBIGUOUS
from lstmlab.data.download import DataError
from lstmlab.data.fill import FILLS
from lstmlab.data.table import Table
from lstmlab.data.times import step_name
from lstmlab.tasks.series.series_info import SeriesInfo
from lstmlab.tasks.series.tabular import TabularTask


def add_file_arguments(parser: argparse.ArgumentParser, results: str) -> None:
    """Add ``--file``, ``--missing`` and ``--output``, by default ``RUN_DIR/results``."""
    parser.add_argument("--file", type=Path, required=True, help="CSV file with the columns of the training data")
    parser.add_argument(
        "--missing", choices=FILLS, help="fill empty cells and absent rows (default: as the run was trained)"
    )
    parser.add_argument(
        "--ambiguous-time", choices=AMBIGUOUS[1:],
        help="which is meant of a local time that is there twice as clocks are put back (default: as in training)",
    )  # fmt: skip
    parser.add_argument("--output", type=Path, help=f"directory for the results (default: RUN_DIR/{results})")


def read_input_file(
    task: TabularTask, trained_on: SeriesInfo, chosen: argparse.Namespace, needed: int, why: str
) -> Table:
    """Read the columns that the model was trained on.

    Args:
        task: the task of the run.
        trained_on: the columns and the time step that the file must have. Without a time step any times will do.
        chosen: the arguments that :func:`add_file_arguments` adds; None: as in training.
        needed: fewest rows.
        why: why that many rows are needed, for the error message.

    Raises:
        DataError: for a file that lacks columns or rows, or has another time step.
    """
    path: Path = chosen.file
    gaps = "ignore" if trained_on.step is None else None
    try:
        table = task.table_options.read(
            str(path), columns=trained_on.names, gaps=gaps, missing=chosen.missing, ambiguous_time=chosen.ambiguous_time
        )
    except DataError as error:  # its message names the keys of training
        text = str(error).replace("data.ambiguous_time=", "--ambiguous-time ").replace("data.file=", "--file ")
        text = text.replace("data.missing=", "--missing ").replace("set --missing", "give --missing")
        raise DataError(text.replace(", data.gaps=ignore takes rows as they come", "")) from None
    if len(table.values) < needed:
        raise DataError(f"{path} has {len(table.values)} rows, but {why}")
    if trained_on.step is not None and not _equal(table.step, trained_on.step):
        has = "no column of times" if table.step is None else f"one row every {step_name(table.step)}"
        raise DataError(f"{path} has {has}, but the run was trained on one row every {step_name(trained_on.step)}")
    return table


def _equal(a: np.timedelta64 | None, b: np.timedelta64) -> bool:
    """Whether the steps are equal; NumPy cannot compare months with seconds."""
    return a is not None and np.datetime_data(a.dtype) == np.datetime_data(b.dtype) and a == b
