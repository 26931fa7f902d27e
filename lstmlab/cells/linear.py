r"""Cells whose recurrence is linear in the state, so that all steps can be computed at once.

.. math::
    g_t &= \text{activate}(z_t)           && \text{gates depend on } x \text{ alone} \\
    c_t &= a(g_t) \odot c_{t-1} + b(g_t)  && \text{the recurrence} \\
    h_t &= \text{output}(c_t, g_t)

Such a cell writes ``activate``, ``coefficients`` and, where its output is not the memory itself, ``output_from``. The
step-by-step form follows from them; so do the backends that solve the recurrence for a whole sequence.
"""

from __future__ import annotations

from typing import Any

from jaxtyping import Array

from lstmlab.arrays import Projected
from lstmlab.cells.base import Cell
from lstmlab.cells.forms import Form, LinearForm
from lstmlab.cells.state import Gates, HState
from lstmlab.settings import setting


class LinearCell(Cell):
    """Base of cells with :math:`c_t = a_t c_{t-1} + b_t`.

    The memory is the state's field ``c``, or ``h`` in an ``HState``; a cell that stores it otherwise overrides
    :meth:`memory` and :meth:`new_state`.
    """

    recurrent_maps = ()
    map: str = setting(
        "dense", "kind of linear map of the inputs: there is none of the state", choices=("dense", "conv")
    )

    def activate(self, z: Any, past: Array | None) -> Gates:
        """Everything that depends on the input, by name; ``past`` is what :meth:`delayed` gave one step earlier."""
        raise NotImplementedError(f"{type(self).__name__} defines no activate")

    def coefficients(self, gates: Gates) -> tuple[Array, Array]:
        """``a`` and ``b`` of the recurrence; every ``|a|`` at most 1."""
        raise NotImplementedError(f"{type(self).__name__} defines no coefficients")

    def output_from(self, memory: Array, gates: Gates) -> Array:
        """The output ``h`` from the new memory: by default the memory itself."""
        del gates
        return memory

    def delayed(self, z: Any) -> Array | None:
        """The part of a projection that the next step sees too (a convolution over time), or nothing."""
        del z
        return None

    def memory(self, state: Any) -> Array:
        """The field of the state that follows the recurrence."""
        return state.h if isinstance(state, HState) else state.c

    def past(self, state: Any) -> Array | None:
        """What :meth:`delayed` gave one step earlier."""
        return getattr(state, "past", None)

    def new_state(self, h: Array, memory: Array, past: Array | None) -> Any:
        """The state after a step; ``past`` is what :meth:`delayed` gives to the next one."""
        if past is not None:
            return self.state_type(h, memory, past)
        return HState(h) if self.state_type is HState else self.state_type(h, memory)

    @property
    def form(self) -> Form:
        """Linear in the state."""
        return "linear"

    @property
    def recurrent_gates(self) -> tuple[str, ...]:
        """None: no product inside the loop."""
        return ()

    def recurrence(self, z: Projected, past: Array | None) -> tuple[Gates, Array, Array]:
        """Gates, and the coefficients ``a`` and ``b`` of their recurrence."""
        gates = self.activate(z, past)
        return gates, *self.coefficients(gates)

    def step(self, state: Any, z: Any) -> tuple[Any, Gates]:
        """One step of the equations above."""
        return linear_step(self, state, z)


def linear_step(cell: LinearForm, state: Any, z: Projected) -> tuple[Any, Gates]:
    """One step of any cell of the linear form, regularised ones included."""
    gates, a, b = cell.recurrence(z, cell.past(state))
    memory = a * cell.memory(state) + b
    return cell.new_state(cell.output_from(memory, gates), memory, cell.delayed(z)), gates
