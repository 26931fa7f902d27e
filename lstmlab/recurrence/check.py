"""What a caller gives to :func:`lstmlab.recurrence.unroll`, checked while it is traced: shapes, types, known values.

Shapes and types are known before anything runs, so nothing of this is left in a compiled program. The values of lengths
are checked only outside ``jax.jit``.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import PyTree

from lstmlab.arrays import LengthsLike, MaskLike
from lstmlab.cells.base import Cell
from lstmlab.cells.check import check_fields, check_real, check_structure
from lstmlab.cells.forms import AnyForm
from lstmlab.cells.regularise_steps import Wrapped
from lstmlab.promotion import cast_numbers


def check_inputs(cell: AnyForm, xs: PyTree) -> tuple[int, int]:
    """Time and batch of the inputs ``[time, batch, *spatial, features]``.

    Raises ``ValueError`` for another shape, ``TypeError`` for what is not made of real numbers.
    """
    leaves = jax.tree.leaves(xs)
    if not leaves:
        raise ValueError("xs holds no array, but must hold the inputs [time, batch, *spatial, features]")
    for leaf in leaves:
        check_real("xs", leaf)
        if np.ndim(leaf) < 2:
            raise ValueError(
                f"xs has an array of shape {np.shape(leaf)}, but arrays of sequences must be [time, batch, ...]"
            )
    while isinstance(cell, Wrapped):  # reads pairs of the cell's own inputs and masks
        cell, xs = cell.cell, xs[0]
    if isinstance(cell, Cell) and hasattr(xs, "shape"):
        features = (*cell.spatial, cell.input_size)
        if np.ndim(xs) != 2 + len(features) or np.shape(xs)[2:] != features:
            raise ValueError(
                f"xs has shape {np.shape(xs)}, but cell {cell.name} reads (time, batch, "
                f"{', '.join(map(str, features))})"
            )
    time, batch = np.shape(leaves[0])[:2]
    for leaf in leaves:
        if np.shape(leaf)[:2] != (time, batch):
            raise ValueError(
                f"xs has arrays of shapes {np.shape(leaves[0])} and {np.shape(leaf)}, but all must have the same "
                "time and batch"
            )
    return time, batch


def as_state(cell: AnyForm, state: Any, batch: int, dtype: np.dtype) -> Any:
    """The state with its numbers in the given type; zero where none is given.

    Raises ``ValueError`` for the state of another cell or batch, ``TypeError`` for what is no real number.
    """
    if state is None:
        return cast_numbers(cell.initial_state(batch), dtype)
    expected = jax.eval_shape(lambda: cast_numbers(cell.initial_state(batch), dtype))
    check_structure(cell, state, type(expected))
    check_fields(cell, state, type(expected)(*(field.shape for field in expected)))
    return jax.tree.map(lambda given, wanted: jnp.asarray(given).astype(wanted.dtype), state, expected)


def as_times(times: Any, time: int, batch: int) -> jax.Array:
    """The times of the steps ``[time, batch]`` as an array.

    Raises ``ValueError`` for another shape, ``TypeError`` for what is no real number.
    """
    check_real("times", times)
    if np.shape(times) != (time, batch):
        raise ValueError(f"times has shape {np.shape(times)}, but must be ({time}, {batch}): time and batch")
    return jnp.asarray(times)


def as_lengths(lengths: LengthsLike | None, time: int, batch: int) -> jax.Array | None:
    """Valid steps ``[batch]`` as an array of integers.

    Raises ``ValueError`` for another shape, and for known lengths below 0 or above ``time``; ``TypeError`` for numbers
    that are no integers.
    """
    if lengths is None:
        return None
    given = _as_array("lengths", lengths)
    if given.shape != (batch,):
        raise ValueError(f"lengths has shape {given.shape}, but must be ({batch},): one per sequence")
    if not jnp.issubdtype(given.dtype, jnp.integer):
        raise TypeError(f"lengths is of type {given.dtype}, but must be integers: numbers of steps")
    if is_known(given) and given.size:
        values = np.asarray(given)
        wrong = values[(values < 0) | (values > time)]
        if wrong.size:
            raise ValueError(f"lengths holds {wrong[0]}, but must be between 0 and the number of steps, {time}")
    return jnp.asarray(given)


def as_mask(name: str, mask: MaskLike | None, shape: tuple[int, int], axes: str) -> jax.Array | None:
    """Booleans of the given shape, whose axes ``axes`` names.

    Raises ``ValueError`` for another shape, ``TypeError`` for other types.
    """
    if mask is None:
        return None
    given = _as_array(name, mask)
    if given.shape != shape:
        raise ValueError(f"{name} has shape {given.shape}, but must be {shape}: {axes}")
    if given.dtype != bool:
        raise TypeError(f"{name} is of type {given.dtype}, but must be bool")
    return jnp.asarray(given)


def _as_array(name: str, values: Any) -> Any:
    """The values themselves if they are an array, else an array of them."""
    if isinstance(values, jax.Array | np.ndarray):
        return values
    try:
        return np.asarray(values)
    except ValueError:
        raise ValueError(f"{name} is a list of lists of unequal lengths, but must be an array") from None


def is_known(array: Any) -> bool:
    """Whether the values can be read here: not while JAX traces, nor where another process holds a part."""
    return not isinstance(array, Tracer) and getattr(array, "is_fully_addressable", True)
