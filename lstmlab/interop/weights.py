"""A cell's weights as plain arrays in lstmlab's order: the common form between frameworks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from lstmlab.cells import Cell
from lstmlab.cells.maps import LinearMap

FAMILIES = {"rnn": "rnn", "lstm": "lstm", "conv_lstm": "lstm", "gru": "gru"}
"""The cells that other frameworks have, by their registered names, and whose equations they are."""


class CellWeights(NamedTuple):
    """Weights of one cell, gate by gate along the last axis in the order of ``cell.gates``."""

    input: np.ndarray
    """``[*window, features, gates · hidden]``"""
    recurrent: np.ndarray
    """``[*window, hidden, gates · hidden]``"""
    bias: np.ndarray | None = None
    """``[gates · hidden]``, outside the GRU's reset gate"""
    candidate_bias: np.ndarray | None = None
    """``[hidden]``, inside the GRU's reset gate where that acts after the product"""


def family(cell: Cell, framework: str, maps: Sequence[str] = ("dense",)) -> str:
    """``"rnn"``, ``"lstm"`` or ``"gru"``: the equations that the cell shares with others.

    Raises ``ValueError`` for cells, peepholes and kinds of linear map that the framework does not have.
    """
    if cell.map not in maps:
        raise ValueError(
            f"cell {cell.name}: {framework} has no such cell with cell.map={cell.map} (it has: {', '.join(maps)})"
        )
    if cell.name not in FAMILIES:
        raise ValueError(
            f"cell {cell.name} has no counterpart in {framework} (cells that have one: "
            f"rnn, lstm, gru, and conv_lstm where there are convolutional cells)"
        )
    if getattr(cell, "peepholes", False):
        raise ValueError(f"cell {cell.name}: {framework} has no peepholes; use cell.peepholes=false")
    if len(jax.tree.leaves(cell)) != sum(a is not None for a in _arrays(cell)):
        raise ValueError(
            f"cell {cell.name}: {framework} has no parameters beyond kernels and biases, but these "
            "options give the cell some"
        )
    return FAMILIES[cell.name]


def require(cell: Cell, framework: str, **settings: str) -> None:
    """Raise ``ValueError`` where an option has a value that the other framework lacks."""
    for name, needed in settings.items():
        value = getattr(cell, name, needed)
        if value != needed:
            raise ValueError(f"cell {cell.name}: {framework} has cell.{name}={needed} only, but it is {value}")


def kernel_shapes(cell: Cell) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Shapes of :attr:`CellWeights.input` and :attr:`CellWeights.recurrent`."""
    stacked = len(cell.gates) * cell.hidden_size
    window = cell.window if cell.map == "conv" else ()
    return (*window, cell.input_size, stacked), (*window, cell.hidden_size, stacked)


def read_cell(cell: Cell) -> CellWeights:
    """Copies of the cell's weights."""
    arrays = (None if a is None else np.array(a) for a in _arrays(cell))
    kernel, recurrent, candidate, bias, candidate_bias = arrays
    assert kernel is not None and recurrent is not None
    if candidate is not None:
        recurrent = np.concatenate([recurrent, candidate], axis=-1)
    return CellWeights(kernel, recurrent, bias, candidate_bias)


def write_cell(cell: Cell, weights: CellWeights) -> Cell:
    """A copy of the cell with these weights, in the types of its own parameters."""
    new = jax.tree.map(lambda leaf: leaf, cell)
    _assign(new.input, "kernel", weights.input)
    recurrent = weights.recurrent
    candidate_map = getattr(new, "candidate_recurrent", None)
    if candidate_map is not None:
        recurrent, candidate = np.split(recurrent, [2 * cell.hidden_size], axis=-1)
        _assign(candidate_map, "kernel", candidate)
    _assign(new.recurrent, "kernel", recurrent)
    if weights.bias is not None:
        _assign(new.input, "bias", weights.bias)
    if weights.candidate_bias is not None:
        _assign(new, "candidate_bias", weights.candidate_bias)
    return new


def write_map(map: LinearMap, kernel: np.ndarray, bias: np.ndarray | None) -> LinearMap:
    """A copy of a dense map with this kernel ``[in, out]`` and bias ``[out]`` (none: zero)."""
    new = jax.tree.map(lambda leaf: leaf, map)
    _assign(new, "kernel", kernel)
    _assign(new, "bias", np.zeros(kernel.shape[-1]) if bias is None else bias)
    return new


def reorder(array: np.ndarray, have: Sequence[str], want: Sequence[str]) -> np.ndarray:
    """The array with the blocks of its last axis in the order ``want`` instead of ``have``."""
    blocks = dict(zip(have, np.split(array, len(have), axis=-1), strict=True))
    return np.concatenate([blocks[name] for name in want], axis=-1)


def merge_biases(family: str, input: np.ndarray, recurrent: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Bias and candidate bias from the two biases of other frameworks.

    The bias is their sum; for the GRU the candidate's blocks stay apart, as the reset gate multiplies the second.
    """
    if family != "gru":
        return input + recurrent, None
    gates = 2 * (len(input) // 3)
    summed = np.concatenate([input[:gates] + recurrent[:gates], input[gates:]])
    return summed, recurrent[gates:]


def split_biases(weights: CellWeights) -> tuple[np.ndarray, np.ndarray]:
    """Input and recurrent bias for frameworks with two: the second is zero but for the GRU's candidate."""
    assert weights.bias is not None
    recurrent = np.zeros_like(weights.bias)
    if weights.candidate_bias is not None:
        recurrent[-len(weights.candidate_bias) :] = weights.candidate_bias
    return weights.bias, recurrent


def _arrays(cell: Cell) -> tuple[Any, ...]:
    """Input kernel, recurrent kernel, the candidate's recurrent kernel, bias, candidate bias; ``None`` where absent."""
    # The first GRU has a recurrent kernel for the candidate: it multiplies the gated state.
    candidate_map = getattr(cell, "candidate_recurrent", None)
    return (
        cell.input.kernel,
        cell.recurrent.kernel,
        None if candidate_map is None else candidate_map.kernel,
        cell.input.bias,
        getattr(cell, "candidate_bias", None),
    )


def _assign(owner: object, name: str, array: np.ndarray) -> None:
    setattr(owner, name, filled(getattr(owner, name), array))


def filled(parameter: Any, array: np.ndarray) -> Any:
    """The parameter with a copy of the array as its value."""
    # Mapping over the parameter keeps its type and metadata, and needs nothing of Flax. jnp.array copies, where
    # jnp.asarray may keep memory into which the other framework's optimiser writes.
    return jax.tree.map(lambda leaf: jnp.array(array, leaf.dtype), parameter)
