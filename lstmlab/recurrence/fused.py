r"""A backward pass of our own for any cell of the form *linear map + pointwise function*.

Autodiff through ``lax.scan`` forms the gradient of the recurrent kernel inside the loop: one product and one
kernel-sized addition per step. Here the reverse loop only walks the pointwise function and the transposed map,

.. math::
    \bar s_{t-1}, \bar z_t, \bar r_t = \text{vjp}(\text{update})(\bar s_t), \qquad
    \bar h_{t-1} \mathrel{+}= U^\top \bar r_t,

and the gradient of the map is ONE product over all steps after it: :math:`\bar U = \sum_t h_{t-1} \bar r_t^\top`.
States and recurrent products are saved; gates are recomputed in the loop, which costs less than storing them.

A cell that declares itself ``additive`` reads :math:`z_t + r_t` alone. One array is then saved in place of two, and
:math:`\bar z_t = \bar r_t`.
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, PyTree

from lstmlab.arrays import Projected
from lstmlab.cells.forms import PointwiseForm
from lstmlab.cells.maps import LinearMap
from lstmlab.cells.state import State
from lstmlab.promotion import standard_promotion
from lstmlab.recurrence.masks import StepMask, apply_reset, states_before, tree_where, zero_padding, zeros_like

# Steps per block on CPUs: a long sequence's projections do not fit the caches, and fresh memory costs page faults.
LONGEST_BLOCK, SHORTEST_BLOCK = 64, 16

S = TypeVar("S", bound=State)


class Saved(NamedTuple):
    """What the backward pass needs of the forward pass; arrays of all steps are time-major."""

    recurrent: LinearMap
    pointwise: PointwiseForm
    step_mask: StepMask
    start: State
    """the state before the first step"""
    after: State
    """the state after every step"""
    r: Array
    """recurrent products of every step; of an additive cell ``z + r``"""
    z: Projected | None
    """projected inputs of every step; none of an additive cell"""


def fused(cell: PointwiseForm, xs: PyTree, state: S, step_mask: StepMask, *, reverse: bool) -> tuple[S, Array]:
    """Run the cell over inputs ``xs`` (time-major): final state and outputs."""

    def run(state: S, block: tuple[PyTree, StepMask]) -> tuple[S, Array]:
        xs, step_mask = block
        return _fused(reverse, cell.recurrent, cell.pointwise(), cell.project(xs), state, step_mask)

    time = jax.tree.leaves(xs)[0].shape[0]
    block = block_length(time) if jax.default_backend() == "cpu" else time
    if block == time:
        return run(state, (xs, step_mask))
    blocks = jax.tree.map(lambda a: a.reshape(-1, block, *a.shape[1:]), (xs, step_mask))
    final, outputs = jax.lax.scan(run, state, blocks, reverse=reverse)
    return final, outputs.reshape(time, *outputs.shape[2:])


def block_length(time: int) -> int:
    """The longest block that divides the sequence evenly, or all of it where none does."""
    if time <= LONGEST_BLOCK:
        return time
    return next((n for n in range(LONGEST_BLOCK, SHORTEST_BLOCK - 1, -1) if time % n == 0), time)


@standard_promotion
def _run(
    reverse: bool, recurrent: LinearMap, pointwise: PointwiseForm, z: Projected, state: S, step_mask: StepMask
) -> tuple[S, Array]:
    """Final state and outputs from projected inputs."""

    def body(state: S, step: tuple[Projected, StepMask]) -> tuple[S, Array]:
        state, _ = _advance(recurrent, pointwise, state, *step)
        return state, state.h

    final, hs = jax.lax.scan(body, state, (z, step_mask), reverse=reverse)
    return final, zero_padding(hs, step_mask)


_fused = jax.custom_vjp(_run, nondiff_argnums=(0,))


@standard_promotion
def _save(
    reverse: bool, recurrent: LinearMap, pointwise: PointwiseForm, z: Projected, state: S, step_mask: StepMask
) -> tuple[tuple[S, Array], Saved]:
    """The same, and what the backward pass needs."""
    additive = pointwise.additive

    def body(state: S, step: tuple[Projected, StepMask]) -> tuple[S, tuple[S, Array]]:
        after, r = _advance(recurrent, pointwise, state, *step)
        return after, (after, step[0] + r if additive else r)

    final, (after, r) = jax.lax.scan(body, state, (z, step_mask), reverse=reverse)
    saved = Saved(recurrent, pointwise, step_mask, state, after, r, None if additive else z)
    return (final, zero_padding(after.h, step_mask)), saved


@standard_promotion
def _backward(
    reverse: bool, saved: Saved, cotangents: tuple[S, Array]
) -> tuple[LinearMap, PointwiseForm, Projected, S, None]:
    """Cotangents of the arguments of :func:`_run` from those of its results."""
    recurrent, pointwise, step_mask = saved.recurrent, saved.pointwise, saved.step_mask
    d_final, d_outputs = cotangents
    before = states_before(saved.start, saved.after, step_mask, reverse)
    transposed = recurrent.transposed(jax.eval_shape(lambda h: h[0], before.h))

    def body(carry: tuple[S, PointwiseForm], step: PyTree) -> tuple[tuple[S, PointwiseForm], tuple[Array, Projected]]:
        d_after, d_pointwise = carry
        d_output, step_mask, before, r, z = step
        # A padded step passed its state through and gave no output: its cotangent passes through as well.
        d_new = d_after._replace(h=d_after.h + d_output)
        d_new = tree_where(step_mask.mask, d_new, zeros_like(d_new))
        d_params, d_before, d_z, d_r = _pointwise_vjp(pointwise, before, z, r, d_new)
        d_before = d_before._replace(h=d_before.h + transposed(d_r))
        if step_mask.reset is not None:
            d_before = tree_where(step_mask.reset, zeros_like(d_before), d_before)
        if step_mask.mask is not None:
            d_before = tree_where(step_mask.mask, d_before, d_after)
        return (d_before, jax.tree.map(jnp.add, d_pointwise, d_params)), (d_r, d_z)

    start = (d_final, zeros_like(pointwise))
    steps = (d_outputs, step_mask, before, saved.r, saved.z)
    (d_state, d_pointwise), (d_r, d_z) = jax.lax.scan(body, start, steps, reverse=not reverse)
    d_recurrent = jax.vjp(lambda m: m(before.h), recurrent)[1](d_r)[0]
    return d_recurrent, d_pointwise, d_r if d_z is None else d_z, d_state, None


def _advance(
    recurrent: LinearMap, pointwise: PointwiseForm, state: S, z: Projected, step_mask: StepMask
) -> tuple[S, Array]:
    """One step under its masks: the new state and the recurrent product."""
    before = apply_reset(step_mask.reset, state)
    r = recurrent(before.h)
    after, _ = pointwise.update(before, z, r)
    return tree_where(step_mask.mask, after, state), r


def _pointwise_vjp(
    pointwise: PointwiseForm, before: S, z: Projected | None, r: Array, d_new: S
) -> tuple[PointwiseForm, S, Projected | None, Array]:
    """Cotangents of update's parameters, state, ``z`` and ``r``. Of an additive cell, ``r`` holds ``z + r``, and there
    is no ``z``."""
    if not pointwise.additive:
        return jax.vjp(lambda p, s, z, r: p.update(s, z, r)[0], pointwise, before, z, r)[1](d_new)
    zero = jnp.zeros_like(r)
    d_params, d_before, d_sum = jax.vjp(lambda p, s, a: p.update(s, a, zero)[0], pointwise, before, r)[1](d_new)
    return d_params, d_before, None, d_sum


_fused.defvjp(_save, _backward)
