"""The path of a cell through its states, and one step of it as a function of one vector."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from lstmlab.cells.state import Gates
from lstmlab.promotion import cast_numbers, parameter_type, standard_promotion


class Trajectory(NamedTuple):
    """What a cell went through; all arrays are ``[time, batch, ...]``."""

    before: Any
    """the states before each step"""
    after: Any
    """the states after each step"""
    z: PyTree
    """projected inputs"""
    gates: Gates


@standard_promotion
def trajectory(cell: Any, xs: Array, state: Any = None) -> Trajectory:
    """Run a cell step by step.

    Args:
        cell: a :class:`lstmlab.cells.Cell`.
        xs: inputs ``[time, batch, *spatial, features]``.
        state: the state before the first step; zero if not given.
    """
    return _run(cell, cast_numbers(jnp.asarray(xs), parameter_type(cell)), state)


@jax.jit
def _run(cell: Any, xs: Array, state: Any) -> Trajectory:
    start = cell.initial_state(xs.shape[1]) if state is None else state
    prepared = cell.prepared()

    def body(before: Any, z: PyTree) -> tuple[Any, Trajectory]:
        after, gates = prepared.step(before, z)
        return after, Trajectory(before, after, z, gates)

    return jax.lax.scan(body, start, prepared.project(xs))[1]


def state_fields(cell: Any) -> tuple[str, ...]:
    """The fields of the state through which gradients reach earlier steps."""
    fields = tuple(cell.memory_fields) or tuple(jax.eval_shape(lambda: cell.initial_state(1))._fields)
    return tuple(name for name in fields if name != "clock")  # counts steps whatever the cell remembers


def flat(state: Any, fields: tuple[str, ...]) -> Float[Array, "*leading size"]:
    """The named fields of states as vectors: ``[batch, size]`` from fields ``[batch, ...]``."""
    parts = [getattr(state, name) for name in fields]
    return jnp.concatenate([part.reshape(part.shape[0], -1) for part in parts], axis=-1)


def flat_steps(states: Any, fields: tuple[str, ...]) -> Float[Array, "time batch size"]:
    """As :func:`flat`, of a whole trajectory."""
    return jax.vmap(lambda state: flat(state, fields))(states)


def state_width(cell: Any) -> int:
    """Numbers in the fields that :func:`state_fields` names, for one sequence."""
    fields = state_fields(cell)
    return jax.eval_shape(lambda: flat(cell.initial_state(1), fields)).shape[1]


def vector_step(
    cell: Any, state: Any, z: PyTree, fields: tuple[str, ...]
) -> tuple[Callable[[Array], Array], Float[Array, " size"]]:
    """One step of one sequence as a function from the vector of its state to that of the next, and the vector before.

    ``state`` and ``z`` are those of one sequence, without an axis for the batch. Fields that are not named keep their
    values.
    """
    state, z = jax.tree.map(lambda a: a[None], (state, z))
    shapes = [getattr(state, name).shape for name in fields]
    ends = list(itertools.accumulate(math.prod(shape) for shape in shapes))[:-1]

    def step(vector: Array) -> Array:
        parts = jnp.split(vector, ends)
        given = {name: part.reshape(shape) for name, part, shape in zip(fields, parts, shapes, strict=True)}
        return flat(cell.step(state._replace(**given), z)[0], fields)[0]

    return step, flat(state, fields)[0]
