"""The registry of cells: a name, a class, one line, the paper and the family."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, TypeVar

from lstmlab.arrays import Key
from lstmlab.cells.base import Cell
from lstmlab.settings import suggest

T = TypeVar("T", bound=type[Cell])


@dataclasses.dataclass(frozen=True)
class CellEntry:
    """What the catalogue says of a cell."""

    name: str
    cls: type[Cell]
    title: str
    paper: str
    family: str = "other"


FAMILIES = (
    "vanilla", "LSTM", "Odyssey", "GRU", "structured", "parallel in time", "xLSTM", "convolutional", "other",
)  # fmt: skip
"""The families of the package's own cells, in the catalogue's order; a cell of one's own may name another."""
_CELLS: dict[str, CellEntry] = {}


def register_cell(name: str, *, title: str, paper: str, family: str = "other") -> Callable[[T], T]:
    """Class decorator: ``@register_cell("lstm", title="Long short-term memory", paper="...")``.

    ``family`` is the heading under which the catalogue lists the cell, see ``FAMILIES``. Raises ``ValueError`` when
    another class already has the name.
    """

    def register(cls: T) -> T:
        known = _CELLS.get(name)
        # The same definition may be run twice (a notebook cell, a reloaded module).
        if known is not None and known.cls.__qualname__ != cls.__qualname__:
            raise ValueError(f"a cell named '{name}' is already registered: {known.cls.__qualname__}")
        cls.name = name
        _CELLS[name] = CellEntry(name, cls, title, paper, family)
        return cls

    return register


def cell_names() -> list[str]:
    """Names of all registered cells, in the order of registration."""
    return list(_CELLS)


def cell_entry(name: str) -> CellEntry:
    """The registered cell of that name; raises ``ValueError`` that lists the known ones."""
    if name not in _CELLS:
        raise ValueError(
            f"unknown cell '{name}'{suggest(name, cell_names())} (known cells: {', '.join(sorted(_CELLS))})"
        )
    return _CELLS[name]


def make_cell(name: str, input_size: int, hidden_size: int, *, key: Key, **settings: Any) -> Cell:
    """Build a registered cell; ``settings`` as for :class:`~lstmlab.cells.base.Cell`."""
    return cell_entry(name).cls(input_size, hidden_size, key=key, **settings)
