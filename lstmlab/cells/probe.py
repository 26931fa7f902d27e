"""A cell that reports all of its steps, and whose states can be shifted: diagnostics put it into models."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
from flax import nnx
from jaxtyping import Array, PyTree

from lstmlab.arrays import Projected
from lstmlab.cells.forms import AnyForm, Form
from lstmlab.cells.state import Gates


class Report(NamedTuple):
    """What a probed cell went through; all arrays are ``[time, batch, ...]``."""

    z: Projected
    """projected inputs"""
    state: Any
    """the states after each step"""
    gates: Gates


_GATE, _STATE, _Z = "gate.", "state.", "z."


class Probed(nnx.Module):
    """A cell that reports its states and projected inputs among its gates; :meth:`report` sorts them.

    Args:
        cell: any cell.
        shifts: ``[time, batch, ...]`` for some of the state's fields, by name: added to the state after each step, so
            that a gradient with respect to them is one with respect to the states. ``None`` shifts nothing, and a
            sequence of another length, such as the single steps in which a forecaster goes on, is not shifted.
    """

    def __init__(self, cell: AnyForm, shifts: dict[str, Array] | None = None) -> None:
        self.cell = cell
        self.shifts = nnx.data(shifts)

    @property
    def form(self) -> Form:
        """Only the reference backend runs it."""
        return "step"

    def initial_state(self, *batch: int) -> Any:
        """That of the cell."""
        return self.cell.initial_state(*batch)

    def prepared(self) -> Probed:
        """With the cell prepared."""
        return Probed(self.cell.prepared(), self.shifts)

    def project(self, x: PyTree) -> Projected:
        """The cell's projection of the whole sequence, and the shifts beside it."""
        steps = {len(leaf) for leaf in (*jax.tree.leaves(x), *jax.tree.leaves(self.shifts))}
        return self.cell.project(x), self.shifts if len(steps) == 1 else None

    def step(self, state: Any, z: tuple[Projected, dict[str, Array] | None]) -> tuple[Any, Gates]:
        """The cell's step, shifted and reported."""
        after, gates = self.cell.step(state, z[0])
        if z[1] is not None:
            after = after._replace(**{name: getattr(after, name) + shift for name, shift in z[1].items()})
        said = {_GATE + name: values for name, values in gates.items()}
        said |= {_STATE + name: values for name, values in zip(after._fields, after, strict=True)}
        return after, said | {f"{_Z}{number}": leaf for number, leaf in enumerate(jax.tree.leaves(z[0]))}

    def report(self, said: Gates) -> Report:
        """What the cell went through, from the gates that were collected."""
        cell: Any = self.cell

        def named(prefix: str) -> Gates:
            return {name.removeprefix(prefix): a for name, a in said.items() if name.startswith(prefix)}

        first = jax.eval_shape(lambda: cell.project(cell.zeros(1, 1, *cell.spatial, cell.input_size)))
        leaves = [said[f"{_Z}{number}"] for number in range(len(jax.tree.leaves(first)))]
        z = jax.tree.unflatten(jax.tree.structure(first), leaves)
        kind = type(jax.eval_shape(lambda: cell.initial_state(1)))
        return Report(z, kind(**named(_STATE)), named(_GATE))

    def __getattr__(self, name: str) -> Any:
        """Whatever else is asked of the cell."""
        if name in ("cell", "shifts"):  # not there yet, while a copy is being made
            raise AttributeError(name)
        return getattr(self.cell, name)
