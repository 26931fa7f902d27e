"""The registry of cells: a name, a class, one line, the paper and the family."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, TypeVar

from lstmlab.arrays import Key
from lstmlab.cells.base import Cell
from lstmlab.registry import Registry

T = TypeVar("T", bound=type[Cell])


@dataclasses.dataclass(frozen=True)
class CellEntry:
    """What the catalogue shows of a cell."""

    name: str
    cls: type[Cell]
    title: str
    paper: str
    family: str = "other"


FAMILIES = (
    "vanilla", "LSTM", "Odyssey", "GRU", "structured", "parallel in time", "xLSTM", "convolutional", "other",
)  # fmt: skip
"""The families of the package's own cells, in the catalogue's order; other cells may name another."""
CELLS: Registry[CellEntry] = Registry("cell")


def register_cell(name: str, *, title: str, paper: str, family: str = "other") -> Callable[[T], T]:
    """Class decorator: ``@register_cell("lstm", title="Long short-term memory", paper="...")``.

    ``family`` is the heading under which the catalogue lists the cell, see ``FAMILIES``. Raises ``ValueError`` when
    another class already has the name.
    """

    def register(cls: T) -> T:
        CELLS.add(CellEntry(name, cls, title, paper, family))
        cls.name = name
        return cls

    return register


def cell_names() -> list[str]:
    """Names of all registered cells, in the order of registration."""
    return CELLS.names()


def cell_entry(name: str) -> CellEntry:
    """The registered cell of that name; raises ``ValueError`` that suggests the closest name and lists all."""
    return CELLS.entry(name)


def make_cell(name: str, input_size: int, hidden_size: int, *, key: Key, **settings: Any) -> Cell:
    """Build a registered cell; ``settings`` as for :class:`~lstmlab.cells.base.Cell`."""
    return cell_entry(name).cls(input_size, hidden_size, key=key, **settings)
