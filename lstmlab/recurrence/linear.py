r"""Recurrences that are linear in the state, solved for a whole sequence.

.. math:: c_t = a_t \odot c_{t-1} + b_t

Gates are computed for all steps at once; what is left is solved by a parallel prefix sum over pairs
:math:`(a_1, b_1) \circ (a_2, b_2) = (a_1 a_2,\; a_2 b_1 + b_2)` in :math:`O(\log T)` rounds (``associative``), or by a
loop that does nothing else (``fused``). The gradient is a recurrence of the same kind, run the other way:
:math:`\lambda_t = \bar c_t + a_{t+1} \lambda_{t+1}`, :math:`\bar b_t = \lambda_t`,
:math:`\bar a_t = \lambda_t c_{t-1}`, so nothing but :math:`c` is saved.
"""

from __future__ import annotations

from typing import TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Inexact, PyTree

from lstmlab.arrays import Projected, TimeMajorMask
from lstmlab.cells.forms import LinearForm
from lstmlab.cells.state import State
from lstmlab.promotion import standard_promotion
from lstmlab.recurrence.masks import StepMask, tree_where, where_steps, zero_padding

S = TypeVar("S", bound=State)
Steps = Inexact[Array, "time batch *features"]
"""Numbers of all steps, real or complex."""
Start = Inexact[Array, "batch *features"]
"""Numbers before the first step."""
Pair = tuple[Array, Array]


def linear(
    cell: LinearForm, z: Projected, state: S, step_mask: StepMask, *, reverse: bool, parallel: bool
) -> tuple[S, Array]:
    """Run a cell of the linear form over projected inputs ``z`` (time-major): final state and outputs."""
    delayed, before = cell.delayed(z), cell.past(state)
    past = None if delayed is None or before is None else _step_earlier(delayed, before, step_mask, reverse)
    gates, a, b = cell.recurrence(z, past)
    a, b = masked_coefficients(jnp.broadcast_to(a, b.shape), b, step_mask)
    memory = solve(parallel, reverse, a, b, cell.memory(state))
    outputs = cell.output_from(memory, gates)
    states = cell.new_state(outputs, memory, delayed)
    return last_valid(states, state, step_mask, reverse), zero_padding(outputs, step_mask)


def masked_coefficients(a: Steps, b: Steps, step_mask: StepMask) -> tuple[Steps, Steps]:
    """Coefficients under which resets forget everything and padding changes nothing."""
    if step_mask.reset is not None:
        a = where_steps(step_mask.reset, jnp.zeros_like(a), a)
    if step_mask.mask is not None:
        a = where_steps(step_mask.mask, a, jnp.ones_like(a))
        b = where_steps(step_mask.mask, b, jnp.zeros_like(b))
    return a, b


@standard_promotion
def _solve(parallel: bool, reverse: bool, a: Steps, b: Steps, start: Start) -> Steps:
    """``c_t`` for all steps, from ``a`` and ``b`` of all steps and the state before the first one."""
    if not parallel:

        def body(c: Array, step: Pair) -> Pair:
            c = step[0] * c + step[1]
            return c, c

        return jax.lax.scan(body, start, (a, b), reverse=reverse)[1]
    first = -1 if reverse else 0
    b = b.at[first].add(a[first] * start)
    return jax.lax.associative_scan(_after, (a, b), reverse=reverse)[1]


solve = jax.custom_vjp(_solve, nondiff_argnums=(0, 1))


def _after(one: Pair, other: Pair) -> Pair:
    """Two steps as one."""
    return one[0] * other[0], other[0] * one[1] + other[1]


@standard_promotion
def _solve_and_save(
    parallel: bool, reverse: bool, a: Steps, b: Steps, start: Start
) -> tuple[Steps, tuple[Steps, Steps, Start]]:
    c = solve(parallel, reverse, a, b, start)
    return c, (a, c, start)


@standard_promotion
def _solve_backward(
    parallel: bool, reverse: bool, saved: tuple[Steps, Steps, Start], d_c: Steps
) -> tuple[Steps, Steps, Start]:
    a, c, start = saved
    first = -1 if reverse else 0
    later = _shift(a, jnp.zeros_like(start), not reverse)
    d_b = solve(parallel, not reverse, later, d_c, jnp.zeros_like(start))
    return d_b * _shift(c, start, reverse), d_b, a[first] * d_b[first]


solve.defvjp(_solve_and_save, _solve_backward)


def _shift(values: Steps, start: Start, reverse: bool) -> Steps:
    """What every step finds: the value of the step before it, and ``start`` at the first."""
    parts = [values[1:], start[None]] if reverse else [start[None], values[:-1]]
    return jnp.concatenate(parts)


def _step_earlier(values: Steps, start: Start, step_mask: StepMask, reverse: bool) -> Steps:
    """:func:`_shift`, where masked steps pass the previous value through and resets give zero."""
    if step_mask.mask is not None:
        values = _held(values, start, step_mask.mask, reverse)
    values = _shift(values, start, reverse)
    return values if step_mask.reset is None else where_steps(step_mask.reset, jnp.zeros_like(values), values)


def _held(values: Steps, start: Start, mask: TimeMajorMask, reverse: bool) -> Steps:
    """The value of the last step that took part, at every step; ``start`` before the first of them."""
    number = jnp.arange(len(mask))[:, None]
    if reverse:
        last = jax.lax.cummin(jnp.where(mask, number, len(mask)), axis=0, reverse=True)
        known = last < len(mask)
    else:
        last = jax.lax.cummax(jnp.where(mask, number, -1), axis=0)
        known = last >= 0
    taken = values[jnp.clip(last, 0, len(mask) - 1), jnp.arange(mask.shape[1])]
    return where_steps(known, taken, jnp.broadcast_to(start, values.shape))


def last_valid(states: PyTree, start: PyTree, step_mask: StepMask, reverse: bool) -> PyTree:
    """The state of each sequence after the last step that took part; ``start`` where none did."""
    if step_mask.mask is None:
        return jax.tree.map(lambda a: a[0 if reverse else -1], states)
    mask = step_mask.mask
    last = jnp.argmax(mask, axis=0) if reverse else len(mask) - 1 - jnp.argmax(mask[::-1], axis=0)
    final = jax.tree.map(lambda a: a[last, jnp.arange(a.shape[1])], states)
    return tree_where(jnp.any(mask, axis=0), final, start)
