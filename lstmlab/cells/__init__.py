"""Recurrent cells: the mathematics of one step. Every module of this folder may register cells."""

import importlib
import pkgutil

from lstmlab.cells.base import Cell, HCState, HState
from lstmlab.cells.initialise import Init
from lstmlab.cells.registry import (
    CellEntry,
    cell_entry,
    cell_names,
    make_cell,
    register_cell,
)

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = [
    "Cell", "CellEntry", "HCState", "HState", "Init",
    "cell_entry", "cell_names", "make_cell", "register_cell",
]  # fmt: skip
