"""Cells as numbers: which are empty, which are wrong, and what they were probably meant to be."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lstmlab.data.csv_text import Cells, is_number, number
from lstmlab.data.download import DataError
from lstmlab.data.fill import FILLS, fill_cells

if TYPE_CHECKING:
    import pandas as pd

EMPTY = frozenset(("", "-", "?", "na", "n/a", "nan", "null", "none"))
MOST = 1e30  # squares of z-scores of what is larger leave the range of float32
COMMA = "; where commas are decimal marks throughout, set data.decimal=','"
FILL_KEYS = f"data.missing={'|'.join(FILLS)}"
_MARK = re.compile(r"[^\w\s]{1,4}|#\S+|n\.?a\.?|miss(ing)?|nodata|no data|void|bad", re.IGNORECASE)
_THOUSANDS = re.compile(r"-?\d{1,3}(,\d{3})+\.\d+|-?\d{1,3}(,\d{3}){2,}")
_EITHER = re.compile(r"-?[1-9]\d{0,2},\d{3}")
_WITH_POINTS = re.compile(r"[-+]?[\d,]*\.[\d,.]+")
_DECIMAL_COMMA = re.compile(r"-?(\d{1,3}(\.\d{3})+|\d+),\d+")


def read_numbers(
    cells: Cells, names: list[str], missing: str, marks: Sequence[str], decimal: str = "."
) -> pd.DataFrame:
    """Values as float64, with empty cells filled as ``missing`` says; ``marks`` are cells that stand for empty ones.

    Raises ``DataError`` as :func:`lstmlab.data.table.read_table`.
    """
    texts = cells.frame.loc[:, names]
    values = texts.map(lambda text: number(text, decimal)).astype(np.float64)
    empty = texts.map(lambda text: text.lower() in EMPTY)
    if marks:
        words = {mark.strip().lower() for mark in marks}
        numbers = [number(mark, decimal) for mark in marks if is_number(mark, decimal)]
        empty |= texts.map(lambda text: text.lower() in words) | values.isin(numbers)
        values = values.mask(empty)
    wrong = np.argwhere((values.isna() & ~empty | (values.abs() > MOST)).to_numpy())
    if len(wrong):
        row, column = wrong[0]
        told = _complaint(texts.iat[row, column], row, texts.iloc[:, column].tolist(), len(names), decimal)
        raise DataError(f"{cells.where(row, names[column])}: {told}")
    holes = np.argwhere(empty.to_numpy())
    if not len(holes):
        return values
    row, column = holes[0]
    place = cells.where(row, names[column])
    if missing == "error":
        more = f", and so are {len(holes) - 1} more" if len(holes) > 1 else ""
        raise DataError(f"{place}: the cell is empty{more}; fill it, or set {FILL_KEYS}")
    if row == 0:
        raise DataError(f"{place}: the first cell is empty, and there is nothing before it to fill it with")
    return fill_cells(values, missing)


def _complaint(text: str, row: int, column: Sequence[str], columns: int, decimal: str) -> str:
    """What is wrong with a cell that is neither empty nor a usable number, and what to do about it."""
    if is_number(text, decimal):
        return (
            f"{text} is too large to compute with (at most {MOST:g}); where it stands for no value, leave the cell "
            f"empty and set {FILL_KEYS}"
        )
    if decimal == "," and _WITH_POINTS.fullmatch(text):
        return f"'{text}' is not a number whose decimal mark is a comma, as data.decimal says: write it without points"
    hint = _meant(text, column) if decimal == "." else ""
    if not hint and _MARK.fullmatch(text):
        hint = f"; where it stands for no value, set data.na=['{text}'] and {FILL_KEYS}"
    if not hint and row == 0 and columns > 1:
        hint = "; data.columns=[a,b] reads some columns alone"
    return f"'{text}' is not a number{hint}"


def _meant(text: str, column: Sequence[str]) -> str:
    """The number that a cell with a comma stands for, as far as the cells of its column tell; empty without one."""
    grouped, decimal = text.replace(",", ""), text.replace(".", "").replace(",", ".")
    if _THOUSANDS.fullmatch(text):
        return f" (write {grouped})"
    if _EITHER.fullmatch(text):
        if any(_THOUSANDS.fullmatch(other) for other in column):
            return f" (write {grouped})"
        if not any(_DECIMAL_COMMA.fullmatch(other) and not _EITHER.fullmatch(other) for other in column):
            return f" (write {grouped} where the comma marks thousands, {decimal} where it is a decimal comma){COMMA}"
        return f" (write {decimal}){COMMA}"
    return f" (write {decimal}){COMMA}" if _DECIMAL_COMMA.fullmatch(text) or is_number(text.replace(",", ".")) else ""
