"""Facts about every registered cell, found by building it: nothing here is written by hand."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any, NamedTuple

import jax

from lstmlab.arrays import count
from lstmlab.cells import Cell, CellEntry, cell_entry
from lstmlab.recurrence import backends
from lstmlab.settings import settings_of

SIZE = 128
"""Features of the inputs and of the hidden state at which cells are counted."""


@dataclasses.dataclass(frozen=True)
class CellFacts:
    """One cell with its default options. A convolutional one is counted on a grid of one place."""

    entry: CellEntry
    form: str
    """decides which backends can run it, see :attr:`lstmlab.cells.Cell.form`"""
    backends: tuple[str, ...]
    """the backends that run it, the preferred one first"""
    maps: tuple[str, ...]
    """the kinds of linear map that it allows"""
    gates: dict[str, int]
    """names of its gates, and how many numbers each has per step"""
    state: dict[str, tuple[int, ...]]
    """fields of its state, with their shapes for one sequence"""
    state_size: int
    """numbers carried per sequence"""
    parameters: int

    @property
    def convolutional(self) -> bool:
        """Whether its default map is a convolution, so that it needs inputs with spatial axes."""
        return settings_of(self.entry.cls)["map"].default == "conv"


class OtherForm(NamedTuple):
    """A value of an option with which a cell has another form than by default."""

    option: str
    value: Any
    form: str
    backends: tuple[str, ...]


def cell_facts(name: str) -> CellFacts:
    """The facts of a registered cell, from shapes only; raises ``ValueError`` for an unknown name."""
    entry = cell_entry(name)
    cell = _shapes(entry.cls)
    state = jax.eval_shape(lambda cell: cell.initial_state(1), cell)
    # The first axis is the batch of one sequence.
    shapes = {field: tuple(array.shape[1:]) for field, array in state._asdict().items()}
    return CellFacts(
        entry=entry,
        form=cell.form,
        backends=_names(cell),
        maps=tuple(settings_of(entry.cls)["map"].choices),
        gates=dict(zip(cell.gates, cell.sizes(cell.gates), strict=True)),
        state=shapes,
        state_size=cell.state_size,
        parameters=count(cell),
    )


def other_forms(name: str) -> list[OtherForm]:
    """The values of discrete options, one changed at a time, that give the cell another form than its default."""
    cls, others = cell_entry(name).cls, []
    default = _shapes(cls)
    for key, option in settings_of(cls).items():
        if key == "map":
            continue
        values = (False, True) if isinstance(option.default, bool) else option.choices
        for value in values:
            cell = default if value == option.default else _shapes(cls, **{key: value})
            if cell.form != default.form:
                others.append(OtherForm(key, value, cell.form, _names(cell)))
    return others


@functools.cache  # the page of all cells asks for each of them several times
def _shapes(cls: type[Cell], **options: Any) -> Cell:
    """The cell with shapes for parameters: nothing is computed."""
    spatial = (1, 1) if settings_of(cls)["map"].default == "conv" else ()
    return jax.eval_shape(lambda: cls(SIZE, SIZE, key=jax.random.key(0), spatial=spatial, **options))


def _names(cell: Cell) -> tuple[str, ...]:
    return tuple(map(str, backends(cell)))
