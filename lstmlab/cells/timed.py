"""Cells that are told the times of their steps, which need not be equally long."""

from __future__ import annotations

from typing import Any

from jaxtyping import Array, Float

from lstmlab.arrays import Projected
from lstmlab.cells.regularise_steps import Wrapped
from lstmlab.cells.state import Gates


class Timed(Wrapped):
    """A cell whose clock shows the time of each step; its inputs are pairs ``(x, t)`` with ``t [..., 1]``.

    The clock is the state field that the cell names as ``clock_field``. Before each step it is set to the step's time,
    whatever it has counted.
    """

    def update(self, state: Any, z: tuple[Projected, Float[Array, "*batch 1"]], r: Array) -> tuple[Any, Gates]:
        """The cell's update at the time of the step."""
        return self.cell.update(self._at(state, z[1]), z[0], r)

    def step(self, state: Any, z: tuple[Projected, Float[Array, "*batch 1"]]) -> tuple[Any, Gates]:
        """The cell's whole step at its time."""
        return self.cell.step(self._at(state, z[1]), z[0])

    def _at(self, state: Any, time: Array) -> Any:
        clock = getattr(state, self.clock_field)
        return state._replace(**{self.clock_field: time.reshape(clock.shape).astype(clock.dtype)})
