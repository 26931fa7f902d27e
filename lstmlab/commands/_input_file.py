"""The CSV file of new rows that ``forecast`` and ``detect`` give to a trained model."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import numpy as np

from lstmlab.data.clock import AMBIGUOUS
from lstmlab.data.download import DataError
from lstmlab.data.fill import FILLS
from lstmlab.data.numbers import COMMA
from lstmlab.data.table import Table
from lstmlab.data.times import step_name
from lstmlab.tasks.series.series_info import SeriesInfo
from lstmlab.tasks.series.tabular import TabularTask

ARGUMENTS = {
    COMMA: "",
    ", data.gaps=ignore takes rows as they come": "",
    "which column is data.time_format of? set data.time=COLUMN": "no column holds times as the file of training does",
    "data.ambiguous_time=": "--ambiguous-time ", "data.file=": "--file ",
    "set data.missing=": "give --missing ", "data.missing=": "--missing ",
}  # fmt: skip
"""What messages say of training, and what they say here."""
_KEY = re.compile(r"\bdata\.[a-z_]+=")


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
    except DataError as error:
        raise DataError(for_command(str(error))) from None
    if len(table.values) < needed:
        raise DataError(f"{path} has {len(table.values)} rows, but {why}")
    if trained_on.step is not None and not _equal(table.step, trained_on.step):
        has = "no column of times" if table.step is None else f"one row every {step_name(table.step)}"
        raise DataError(f"{path} has {has}, but the run was trained on one row every {step_name(trained_on.step)}")
    return table


def for_command(message: str) -> str:
    """A message about a table, which names the keys of training, with the arguments of the command in their place.

    For advice that names a key without such an argument the reader is told how it has to be: as in training.
    """
    for key, argument in ARGUMENTS.items():
        message = message.replace(key, argument)
    first, *advice = message.split("; ")
    fitting = [part for part in advice if not _KEY.search(part)]
    if len(fitting) < len(advice) and not any("--" in part for part in fitting):
        fitting.append("write it as in the file of training")
    return "; ".join([first, *fitting])


def _equal(a: np.timedelta64 | None, b: np.timedelta64) -> bool:
    """Whether the steps are equal; NumPy cannot compare months with seconds."""
    return a is not None and np.datetime_data(a.dtype) == np.datetime_data(b.dtype) and a == b
