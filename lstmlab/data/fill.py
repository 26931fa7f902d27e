"""Empty cells and absent rows of a table, filled where that is asked for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lstmlab.data.download import DataError
from lstmlab.data.times import Times

FILLS = ("forward", "interpolate")


def fill_cells(values: np.ndarray, how: str, where: Callable[[int, int], str] | None = None) -> np.ndarray:
    """NaN replaced down each column: by the value above (``forward``), or along a line between the values above and
    below (``interpolate``; at the end of a column, where none is below, as ``forward``).

    Raises ``DataError`` with ``where(row, column)`` when a column begins with an empty cell.
    """
    filled = values.copy()
    rows = np.arange(len(values))
    for column in range(values.shape[1]):
        known = ~np.isnan(values[:, column])
        if not known[0]:
            place = where(0, column) if where else f"column {column}"
            raise DataError(f"{place}: the first cell is empty, and there is nothing before it to fill it with")
        if how == "forward":
            last = np.maximum.accumulate(np.where(known, rows, 0))
            filled[:, column] = values[last, column]
        else:
            filled[:, column] = np.interp(rows, rows[known], values[known, column])
    return filled


def insert_rows(times: Times, values: np.ndarray, how: str) -> tuple[Times, np.ndarray, np.timedelta64] | None:
    """Times one step apart, with the absent rows filled; None when the times do not lie on a grid of the most
    frequent step, or more than half of the grid's rows would be invented.
    """
    kinds, counts = np.unique(np.diff(times), return_counts=True)
    step = kinds[np.argmax(counts)]
    places = (times - times[0]) / step
    if (places != np.round(places)).any() or places[-1] + 1 > 2 * len(times):
        return None
    rows = places.astype(np.int64)
    grid = np.full((rows[-1] + 1, values.shape[1]), np.nan)
    grid[rows] = values
    return times[0] + step * np.arange(len(grid)), fill_cells(grid, how), step
