"""What a caller gives to the methods of a cell, checked while it is traced: a wrong shape is one line that names it.

Shapes and types are known before anything runs, so nothing of this is left in a compiled program.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from lstmlab.cells.maps import Conv, Dense
from lstmlab.promotion import is_float, parameter_type, standard_promotion

EQUATIONS = ("project", "update", "step")
"""Methods that broadcast and mix types on purpose."""


def guard(cls: type) -> None:
    """Give the methods that a class defines what those of every cell have: standard promotion, and checked arguments.

    A method that a subclass overrides is not checked again where the subclass calls it.
    """
    for name in EQUATIONS:
        if name in vars(cls):
            setattr(cls, name, standard_promotion(vars(cls)[name]))
    for name, checked in CHECKS.items():
        if name in vars(cls):
            setattr(cls, name, _checked(name, vars(cls)[name], checked))


def _checked(name: str, method: Callable[..., Any], checked: Callable[..., tuple[Any, ...]]) -> Callable[..., Any]:
    """The method, whose arguments first go through ``checked``."""

    @functools.wraps(method)
    def outer(cell: Any, *args: Any) -> Any:
        if getattr(type(cell), name) is outer:
            args = checked(cell, *args)
        return method(cell, *args)

    return outer


def check_project(cell: Any, x: Any) -> tuple[Any]:
    """Inputs ``[..., *spatial, features]`` as floats.

    Raises ``ValueError`` for another shape, ``TypeError`` for what is not made of real numbers.
    """
    check_real("x", x)
    shape, features = np.shape(x), (*cell.spatial, cell.input_size)
    if shape[max(len(shape) - len(features), 0) :] != features:
        raise ValueError(f"x has shape {shape}, but cell {cell.name} reads (..., {', '.join(map(str, features))})")
    x = jnp.asarray(x)
    return (x if is_float(x) else x.astype(parameter_type(cell)),)


def check_step(cell: Any, state: Any, z: PyTree) -> tuple[Any, PyTree]:
    """The state and the projected inputs of one step.

    Raises ``ValueError`` where they are those of another cell, or of different batches, ``TypeError`` for a state that
    is not made of real numbers.
    """
    check_structure(cell, state, cell.state_type)
    batch = np.shape(state.h)[: max(np.ndim(state.h) - len(cell.spatial) - 1, 0)]
    check_fields(cell, state, state_shapes(cell, batch))
    given, needed = jax.tree.map(np.shape, z), _projected_shapes(cell, batch)
    if given != needed:
        raise ValueError(
            f"z has shape {given}, but beside a state of batch {batch} cell {cell.name} needs {needed}: take it from "
            f"cell.project(x) with x of shape {(*batch, *cell.spatial, cell.input_size)}"
        )
    return state, z


def state_shapes(cell: Any, batch: tuple[int, ...]) -> Any:
    """The shapes of a state's fields, in a state; the cell is traced only if it has a first state of its own."""
    if _is_base(cell, "initial_state"):
        return cell.state_type(*((*batch, *cell.state_shape) for _ in cell.state_type._fields))
    state = jax.eval_shape(lambda: cell.initial_state(*batch))
    return cell.state_type(*(field.shape for field in state))


def _projected_shapes(cell: Any, batch: tuple[int, ...]) -> PyTree:
    """The shape of what ``project`` gives for one step, or of all its parts; traced only if the cell has its own."""
    if _is_base(cell, "project") and isinstance(cell.input, Dense | Conv):
        return (*batch, *cell.spatial, cell.input.kernel.shape[-1])
    # Of shapes alone: inside shard_map, arrays of the cell vary over devices, and the inputs made here would not.
    plain = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), cell)
    x = jax.ShapeDtypeStruct((*batch, *cell.spatial, cell.input_size), parameter_type(cell))
    return jax.tree.map(np.shape, jax.eval_shape(lambda cell, x: cell.project(x), plain, x))


def _is_base(cell: Any, name: str) -> bool:
    """Whether the cell has a method from the base of all cells: no subclass defines it again."""
    return sum(name in vars(cls) for cls in type(cell).__mro__) == 1


def check_initial_state(cell: Any, *batch: Any) -> tuple[Any, ...]:
    """The batch dimensions of a first state.

    Raises ``ValueError`` for a negative one, ``TypeError`` for what is no whole number.
    """
    for size in batch:
        if jax.export.is_symbolic_dim(size):
            continue
        if isinstance(size, bool) or not isinstance(size, int | np.integer):
            raise TypeError(f"batch is {size!r}, but the batch dimensions of cell {cell.name} must be whole numbers")
        if size < 0:
            raise ValueError(f"batch is {size}, but the batch dimensions of cell {cell.name} must be at least 0")
    return batch


CHECKS: dict[str, Callable[..., tuple[Any, ...]]] = {
    "project": check_project, "step": check_step, "initial_state": check_initial_state,
}  # fmt: skip


def check_structure(cell: Any, state: Any, kind: Any) -> None:
    """Raise ``ValueError`` unless the state is a named tuple of that kind."""
    if not isinstance(state, kind):
        name = getattr(cell, "name", type(cell).__name__)
        raise ValueError(
            f"state is a {type(state).__name__}, but cell {name} has a {kind.__name__} of "
            f"{', '.join(kind._fields)}: take it from cell.initial_state(batch)"
        )


def check_fields(cell: Any, state: Any, shapes: Any) -> None:
    """Raise ``ValueError`` unless the state's fields have the given shapes, ``TypeError`` unless they hold real
    numbers."""
    name = getattr(cell, "name", type(cell).__name__)
    for field, given, wanted in zip(shapes._fields, state, shapes, strict=True):
        check_real(f"state.{field}", given)
        if np.shape(given) != wanted:
            raise ValueError(f"state.{field} has shape {np.shape(given)}, but cell {name} needs {wanted} here")


def check_real(name: str, array: Any) -> None:
    """Raise ``TypeError`` unless the array holds real numbers or booleans."""
    dtype = jnp.result_type(array) if isinstance(array, bool | int | float) else getattr(array, "dtype", None)
    kinds = (jnp.floating, jnp.integer, jnp.bool_)
    if dtype is None or not any(jnp.issubdtype(dtype, kind) for kind in kinds):
        raise TypeError(f"{name} is of type {dtype or type(array).__name__}, but must be real numbers")
