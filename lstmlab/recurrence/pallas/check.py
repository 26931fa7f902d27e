"""Whether the kernels of backend ``pallas`` can run a cell, asked without running it."""

from __future__ import annotations

from typing import Any

import jax

from lstmlab.cells.base import Cell
from lstmlab.cells.forms import PointwiseForm
from lstmlab.cells.regularise_steps import Wrapped
from lstmlab.recurrence.pallas.cuts import Unsupported
from lstmlab.recurrence.pallas.product import inner_map, serves
from lstmlab.recurrence.pallas.update import trace_update

ROWS = 16


def pallas_refusal(cell: PointwiseForm) -> str | None:
    """Why kernels cannot run the cell, as the end of a sentence; nothing if they can."""
    if jax.default_backend() not in ("cpu", "gpu"):
        return f"this device is a {jax.default_backend().upper()}, and the kernels are for GPUs"
    if not serves(cell.recurrent):
        return f"its recurrent map is of another kind ({type(inner_map(cell.recurrent)).__name__})"
    inner: Any = cell
    while isinstance(inner, Wrapped):  # adds products with masks, which kernels know
        inner = inner.cell
    if not isinstance(inner, Cell):
        return None  # its inputs are unknown: what kernels cannot do is refused where they are traced
    try:
        jax.eval_shape(_trace, inner)
    except Unsupported as error:
        return f"its update uses {error}"
    return None


def _trace(cell: Any) -> None:
    state = cell.initial_state(ROWS)
    z = cell.project(cell.zeros(ROWS, *cell.spatial, cell.input_size))
    trace_update(cell.pointwise(), state, z, inner_map(cell.recurrent)(state.h))
