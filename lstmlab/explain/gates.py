r"""What gates do: their means, how often they are closed or open, and for how long they keep a memory.

A gate here is an activation between 0 and 1; candidates are none. Time constants are those of a leaky integrator,

.. math:: c_t = f c_{t-1} + \dots \quad\Rightarrow\quad \tau = \frac{1}{1 - f} \text{ steps}

as in Tallec & Ollivier 2018, arXiv:1804.11188, and Karpathy, Johnson & Fei-Fei 2015, arXiv:1506.02078, from where the
thresholds of saturation are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from lstmlab.cells.initialise import keeping_gates

CLOSED, OPEN = 0.1, 0.9
"""below and above these a gate is saturated"""
BINS = 20
LONGEST = 1e6
"""steps; longer time constants, up to infinity at a gate of exactly 1, count as this"""


class GateStatistics(NamedTuple):
    """Statistics of one gate over units, sequences and steps."""

    mean: float
    deviation: float
    closed: float
    """share of activations below ``CLOSED``"""
    open: float
    """share of activations above ``OPEN``"""
    closed_units: np.ndarray
    """``[units]``: share of a unit's activations below ``CLOSED``"""
    open_units: np.ndarray
    """``[units]``: share of a unit's activations above ``OPEN``"""
    histogram: np.ndarray
    """``[BINS]``: share of activations in equal bins from 0 to 1"""


def fractions(gates: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The gates whose activations are between 0 and 1, without candidates, as NumPy arrays ``[time, batch, ...]``."""
    arrays = {name: np.asarray(values) for name, values in gates.items() if name != "candidate"}
    return {
        name: values
        for name, values in arrays.items()
        if values.dtype.kind == "f" and values.size and values.min() >= 0 and values.max() <= 1
    }


def gate_statistics(
    activations: Float[np.ndarray, "time batch *units"], valid: Bool[np.ndarray, "time batch"] | None = None
) -> GateStatistics:
    """Statistics of one gate's activations; only steps that are ``valid`` count."""
    values = _rows(activations, valid)
    closed, opened = values < CLOSED, values > OPEN
    counts, _ = np.histogram(values, BINS, (0.0, 1.0))
    return GateStatistics(
        float(values.mean()), float(values.std()), float(closed.mean()), float(opened.mean()),
        closed.mean(axis=0), opened.mean(axis=0), counts / values.size,
    )  # fmt: skip


def memory_time_constants(
    cell: Any, gates: Mapping[str, Any], valid: Bool[np.ndarray, "time batch"] | None = None
) -> dict[str, Float[np.ndarray, "steps units"]]:
    """``1 / (1 - f)`` in steps for every gate that keeps the memory, over all valid steps and all units.

    The cell's ``memory_gates`` say which these are; a gate that opens for new input counts as ``f = 1 - gate``.

    Args:
        cell: the cell, or its class.
        gates: activations ``[time, batch, ...]`` by name.
        valid: steps that count; all if not given.

    Raises:
        ValueError: for a cell without such gates, or one whose gates are no fractions.
    """
    keeping = {name: sign for name, sign in keeping_gates(cell.memory_gates).items() if name in gates}
    if not keeping:
        raise ValueError(f"cell {cell.name} has no gate that keeps its memory")
    constants = {}
    for name, sign in keeping.items():
        values = _rows(np.asarray(gates[name]), valid)
        if values.min() < 0 or values.max() > 1:
            raise ValueError(f"cell {cell.name}: gate '{name}' is not between 0 and 1, so it has no time constant")
        constants[name] = 1 / np.maximum(1 - values if sign > 0 else values, 1 / LONGEST)
    return constants


def _rows(activations: np.ndarray, valid: np.ndarray | None) -> Float[np.ndarray, "steps units"]:
    """The valid steps of all sequences, one row each."""
    values = activations.reshape(*activations.shape[:2], -1)
    return values.reshape(-1, values.shape[-1]) if valid is None else values[valid]
