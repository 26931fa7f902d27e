r"""Cells whose recurrence is linear in the state, so that all steps can be computed at once.

.. math::
    g_t &= \text{activate}(z_t)           && \text{gates depend on } x \text{ alone} \\
    c_t &= a(g_t) \odot c_{t-1} + b(g_t)  && \text{the recurrence} \\
    h_t &= \text{show}(c_t, g_t)

Such a cell writes ``activate``, ``coefficients`` and, where it shows something else than its memory, ``show``. The
step-by-step form follows from them; so do the backends that solve the recurrence for a whole sequence.
"""

from __future__ import annotations

from typing import Any

from jaxtyping import Array

from lstmlab.cells.base import Cell, Form, Gates, HState
from lstmlab.settings import setting


class LinearCell(Cell):
    """Base of cells with :math:`c_t = a_t c_{t-1} + b_t`. The state is ``HState``, where memory and output are one
    array, or ``HCState``; a cell with another state overrides :meth:`memory` and :meth:`remember`."""

    recurrent_maps = ()
    map: str = setting(
        "dense", "kind of linear map of the inputs: there is none of the state", choices=("dense", "conv")
    )

    def activate(self, z: Array, past: Array | None) -> Gates:
        """Everything that depends on the input, by name; ``past`` is what :meth:`delayed` gave one step earlier."""
        raise NotImplementedError(f"{type(self).__name__} defines no activate")

    def coefficients(self, gates: Gates) -> tuple[Array, Array]:
        """``a`` and ``b`` of the recurrence; every ``|a|`` at most 1."""
        raise NotImplementedError(f"{type(self).__name__} defines no coefficients")

    def show(self, memory: Array, gates: Gates) -> Array:
        """The output ``h`` from the new memory."""
        del gates
        return memory

    def delayed(self, z: Array) -> Array | None:
        """The part of a projection that the next step sees too (a convolution over time), or nothing."""
        del z
        return None

    def memory(self, state: Any) -> Array:
        """What recurs."""
        return state.h if isinstance(state, HState) else state.c

    def past(self, state: Any) -> Array | None:
        """What :meth:`delayed` gave one step earlier."""
        return getattr(state, "past", None)

    def remember(self, h: Array, memory: Array, past: Array | None) -> Any:
        """The state after a step."""
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

    def step(self, state: Any, z: Array) -> tuple[Any, Gates]:
        """One step of the equations above."""
        return linear_step(self, state, z)


def linear_step(cell: Any, state: Any, z: Any) -> tuple[Any, Gates]:
    """One step of any cell of the linear form, regularised ones included."""
    gates = cell.activate(z, cell.past(state))
    a, b = cell.coefficients(gates)
    memory = a * cell.memory(state) + b
    return cell.remember(cell.show(memory, gates), memory, cell.delayed(z)), gates
