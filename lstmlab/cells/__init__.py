"""Recurrent cells: the mathematics of one step. Every module of ``zoo/`` registers the cells that it holds."""

import importlib
import pkgutil

from lstmlab.cells import zoo
from lstmlab.cells.base import Cell
from lstmlab.cells.initialise import Init
from lstmlab.cells.registry import (
    CellEntry,
    cell_entry,
    cell_names,
    make_cell,
    register_cell,
)
from lstmlab.cells.state import HCState, HState

for _module in pkgutil.iter_modules(zoo.__path__):
    importlib.import_module(f"{zoo.__name__}.{_module.name}")

__all__ = [
    "Cell", "CellEntry", "HCState", "HState", "Init",
    "cell_entry", "cell_names", "make_cell", "register_cell",
]  # fmt: skip
