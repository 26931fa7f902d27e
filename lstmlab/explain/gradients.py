r"""How gradients and perturbations travel back through time.

.. math::
    \frac{\partial s_T}{\partial s_{T-k}} = A_T A_{T-1} \cdots A_{T-k+1}, \qquad
    A_t = \frac{\partial s_t}{\partial s_{t-1}}

with all of a cell's state in the vector :math:`s`, and :math:`A_t` exact, by automatic differentiation of
``cell.step`` along a trajectory. Hochreiter 1991; Bengio, Simard & Frasconi 1994, "Learning long-term dependencies with
gradient descent is difficult"; Pascanu, Mikolov & Bengio 2013, arXiv:1211.5063.

Products of a hundred matrices need double precision: call these functions within ``jax.enable_x64(True)``, with
parameters in ``float64``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from lstmlab.cells.probe import Probed
from lstmlab.explain.trajectory import Trajectory, flat_steps, state_fields, state_width, vector_step
from lstmlab.promotion import standard_promotion
from lstmlab.recurrence import unroll

FULL_WIDTH = 256
"""numbers in a state up to which whole Jacobians are multiplied"""
DIRECTIONS = 64
"""random directions in place of a larger state"""


class JacobianProducts(NamedTuple):
    """Singular values of products of step Jacobians."""

    lags: np.ndarray
    """``[lags]``: k, in steps"""
    values: np.ndarray
    """``[lags, batch, directions]``: singular values, the largest first; those below rounding are 0"""
    geometric: np.ndarray | None
    """``[lags, batch]``: their geometric mean, exact at any spread; ``None`` for a subsample of directions"""
    width: int
    """numbers in the state"""

    @property
    def largest(self) -> np.ndarray:
        """The largest singular value ``[lags, batch]``; of a subsample a lower bound."""
        return self.values[..., 0]

    @property
    def typical(self) -> np.ndarray:
        """The root mean square of the singular values ``[lags, batch]``: by how much a random perturbation grows."""
        return np.sqrt(np.sum(self.values**2, axis=-1) / self.values.shape[-1])


def loss_gradients(cell: Any, xs: Array, loss: Callable[[Array], Array], state: Any = None) -> dict[str, Array]:
    r"""Norms of :math:`\partial L / \partial s_t` at every step, ``[time, batch]`` for each field of the state.

    The derivative is total: a change of :math:`s_t` acts on all later steps too.

    Args:
        cell: a :class:`lstmlab.cells.Cell`.
        xs: inputs ``[time, batch, *spatial, features]``.
        loss: a number from the outputs ``[time, batch, *spatial, hidden]``.
        state: the state before the first step; zero if not given.
    """
    shifts = zero_shifts(cell, *xs.shape[:2])
    gradients = jax.grad(lambda given: loss(unroll(Probed(cell, given), xs, state).outputs))(shifts)
    return {name: step_norms(gradient) for name, gradient in gradients.items()}


def zero_shifts(cell: Any, time: int, batch: int) -> dict[str, Array]:
    """Zeros ``[time, batch, ...]`` for the output and for every field through which gradients travel."""
    state = cell.initial_state(batch)
    names = dict.fromkeys(("h", *state_fields(cell)))
    return {name: jnp.zeros((time, *getattr(state, name).shape), getattr(state, name).dtype) for name in names}


def step_norms(gradient: Float[Array, "time batch *rest"]) -> Float[Array, "time batch"]:
    """Euclidean norms over all axes after the first two."""
    return jnp.sqrt(jnp.sum(gradient.reshape(*gradient.shape[:2], -1) ** 2, axis=-1))


def jacobian_products(cell: Any, path: Trajectory, lags: Sequence[int], *, seed: int = 0) -> JacobianProducts:
    r"""Singular values of :math:`\partial s_T / \partial s_{T-k}` at the end of a trajectory.

    States of more than ``FULL_WIDTH`` numbers are looked at along ``DIRECTIONS`` random orthonormal directions of
    :math:`s_T`: singular values are then those of :math:`V^\top \partial s_T / \partial s_{T-k}`.

    Args:
        cell: the cell that went along ``path``.
        path: ``[time, batch, ...]``.
        lags: values of k, from 0 to the number of steps.
        seed: of the random directions.

    Raises:
        ValueError: for a lag that is negative or longer than the path.
    """
    wanted = np.unique(np.asarray(lags, int))
    steps = jax.tree.leaves(path.z)[0].shape[0]
    if not len(wanted) or wanted[0] < 0 or wanted[-1] > steps:
        raise ValueError(f"lags must be from 0 to the {steps} steps of the trajectory, but are {list(lags)}")
    width = state_width(cell)
    whole = width <= FULL_WIDTH
    start = np.eye(width) if whole else _orthonormal(DIRECTIONS, width, seed)
    # Where each lag's product is kept; those that are not asked for share the last row.
    slots = np.full(steps, len(wanted))
    slots[wanted[wanted > 0] - 1] = np.flatnonzero(wanted > 0)
    rows, log_dets = _products(cell, path, jnp.asarray(start), jnp.asarray(slots), len(wanted), whole)
    products = np.array(rows)
    products[wanted == 0] = start
    values = np.linalg.svd(products, compute_uv=False)
    rounding = np.finfo(values.dtype).eps * max(products.shape[-2:])
    values = np.where(values > rounding * values[..., :1], values, 0.0)
    geometric = None
    if whole:
        summed = np.concatenate([np.zeros((1, log_dets.shape[1])), np.cumsum(np.asarray(log_dets), axis=0)])
        geometric = np.exp(summed[wanted] / width)
    return JacobianProducts(wanted, values, geometric, width)


@partial(jax.jit, static_argnames=("count", "whole"))
@standard_promotion
def _products(
    cell: Any, path: Trajectory, start: Array, slots: Array, count: int, whole: bool
) -> tuple[Float[Array, "lags batch rows width"], Float[Array, "time batch"]]:
    """The products at the lags that have a slot, and ``log |det A_t|`` from the last step to the first."""
    fields, cell = state_fields(cell), cell.prepared()
    batch = jax.tree.leaves(path.z)[0].shape[1]
    identity = jnp.eye(start.shape[1], dtype=start.dtype)

    def back(rows: Array, state: Any, z: PyTree) -> tuple[Array, Array]:
        step, before = vector_step(cell, state, z, fields)
        pull = jax.vmap(lambda row: jax.vjp(step, before)[1](row)[0])
        if not whole:
            return pull(rows), identity[:0]
        jacobian = pull(identity)
        return rows @ jacobian, jacobian

    def body(carry: tuple[Array, Array], step: tuple[Any, PyTree, Array]) -> tuple[tuple[Array, Array], Array]:
        rows, kept = carry
        rows, jacobians = jax.vmap(back)(rows, step[0], step[1])
        # One after the other: factorisations side by side in one program can block each other on CPUs.
        log_dets = jax.lax.map(lambda a: jnp.linalg.slogdet(a)[1], jacobians) if whole else jnp.zeros(batch)
        return (rows, kept.at[step[2]].set(rows)), log_dets

    rows = jnp.broadcast_to(start, (batch, *start.shape)).astype(flat_steps(path.before, fields).dtype)
    kept = jnp.zeros((count + 1, *rows.shape), rows.dtype)
    backwards = (*jax.tree.map(lambda a: a[::-1], (path.before, path.z)), slots)
    (_, kept), log_dets = jax.lax.scan(body, (rows, kept), backwards)
    return kept[:count], log_dets


@partial(jax.jit, static_argnames=("field",))
@standard_promotion
def field_jacobian(cell: Any, path: Trajectory, field: str) -> Float[Array, "batch size size"]:
    r"""The total derivative of a field of the last state with respect to the same field before the first step.

    .. math:: \frac{\partial c_T}{\partial c_0}

    Args:
        cell: the cell that went along ``path``.
        path: ``[time, batch, ...]``.
        field: a field of the state, such as ``c``.
    """
    start = jax.tree.map(lambda a: a[0], path.before)
    prepared = cell.prepared()

    def last(value: Array, state: Any, zs: PyTree) -> Array:
        one = jax.tree.map(lambda a: a[None], state._replace(**{field: value}))
        steps = jax.tree.map(lambda a: a[:, None], zs)
        final, _ = jax.lax.scan(lambda s, z: (prepared.step(s, z)[0], None), one, steps)
        return getattr(final, field).reshape(-1)

    zs = jax.tree.map(lambda a: jnp.swapaxes(a, 0, 1), path.z)
    given = getattr(start, field)
    jacobian = jax.vmap(jax.jacrev(last))(given, start, zs)
    return jacobian.reshape(given.shape[0], given[0].size, given[0].size)


def direct_path(cell: Any, path: Trajectory, field: str) -> Float[Array, "batch size"]:
    r"""The part of :math:`\partial c_T / \partial c_0` that goes from each unit to itself through the field alone.

    .. math:: \prod_{t=1}^T \Big(\frac{\partial c_t}{\partial c_{t-1}}\Big)_{ii}

    For an LSTM this is the product of its forget gates.

    Args:
        cell: the cell that went along ``path``.
        path: ``[time, batch, ...]``.
        field: a field of the state, such as ``c``.
    """
    return jnp.prod(_diagonals(cell, path, field), axis=0)


@partial(jax.jit, static_argnames=("field",))
@standard_promotion
def _diagonals(cell: Any, path: Trajectory, field: str) -> Float[Array, "time batch size"]:
    prepared = cell.prepared()

    def diagonal(state: Any, z: PyTree) -> Array:
        step, before = vector_step(prepared, state, z, (field,))
        units = jnp.eye(before.size, dtype=before.dtype)
        return jax.vmap(lambda unit: jax.jvp(step, (before,), (unit,))[1] @ unit)(units)

    return jax.lax.map(lambda step: jax.vmap(diagonal)(*step), (path.before, path.z))


def _orthonormal(count: int, width: int, seed: int) -> Float[np.ndarray, "count width"]:
    """Random orthonormal rows."""
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(width, count)))[0].T
