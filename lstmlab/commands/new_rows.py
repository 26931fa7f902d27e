"""A CSV file that a trained run is to read: its columns, at its pace."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from lstmlab.data.download import DataError
from lstmlab.data.fill import FILLS
from lstmlab.data.table import Table
from lstmlab.data.times import step_name
from lstmlab.tasks.series.series_info import SeriesInfo
from lstmlab.tasks.series.tabular import TabularTask


def add_file_arguments(parser: argparse.ArgumentParser, results: str) -> None:
    """``--file``, ``--missing`` and ``--output``, which is ``RUN_DIR/results`` where it is not given."""
    parser.add_argument("--file", type=Path, required=True, help="CSV file with the columns that the run reads")
    parser.add_argument(
        "--missing", choices=FILLS, help="fill empty cells and absent rows (default: as the run was trained)"
    )
    parser.add_argument("--output", type=Path, help=f"directory of results (default: RUN_DIR/{results})")


def read_new_rows(task: TabularTask, info: SeriesInfo, path: Path, missing: str | None, needed: int, why: str) -> Table:
    """The file, with the columns and the time step of the run, and ``needed`` rows or more.

    ``missing`` says how to fill empty cells and absent rows; None: as in training. A run whose own rows were not one
    step apart makes no demands on times. Raises ``DataError`` where something is not there; ``why`` says what the rows
    are needed for.
    """
    rules = {"gaps": "ignore"} if info.step is None else {}
    if missing is not None:
        rules["missing"] = missing
    try:
        table = task.table_options.read(str(path), columns=info.names, **rules)
    except DataError as error:  # which speaks of the keys of training
        text = str(error).replace("data.missing=", "--missing ").replace("set --missing", "give --missing")
        raise DataError(text.replace(", data.gaps=ignore takes rows as they come", "")) from None
    if len(table.values) < needed:
        raise DataError(f"{path} has {len(table.values)} rows, but {why}")
    if info.step is not None and not _equal(table.step, info.step):
        has = "no column of times" if table.step is None else f"one row every {step_name(table.step)}"
        raise DataError(f"{path} has {has}, but the run was trained on one row every {step_name(info.step)}")
    return table


def _equal(a: np.timedelta64 | None, b: np.timedelta64) -> bool:
    """Months and seconds cannot be compared, and are never equal."""
    return a is not None and np.datetime_data(a.dtype) == np.datetime_data(b.dtype) and a == b
