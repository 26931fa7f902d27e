r"""Recurrences that are linear in the state, solved for a whole sequence.

.. math:: c_t = a_t \odot c_{t-1} + b_t

Gates are computed for all steps at once; what is left is solved by a parallel prefix sum over pairs
:math:`(a_1, b_1) \circ (a_2, b_2) = (a_1 a_2,\; a_2 b_1 + b_2)` in :math:`O(\log T)` rounds (``associative``), or by a
loop that does nothing else (``fused``). The gradient is a recurrence of the same kind, run the other way:
:math:`\lambda_t = \bar c_t + a_{t+1} \lambda_{t+1}`, :math:`\bar b_t = \lambda_t`,
:math:`\bar a_t = \lambda_t c_{t-1}`, so nothing but :math:`c` is saved.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from lstmlab.recurrence.masks import Switches, choose


def linear(cell: Any, z: Any, state: Any, switches: Switches, *, reverse: bool, parallel: bool) -> tuple[Any, Any]:
    """Run a cell of the linear form over projected inputs ``z`` (time-major): final state and outputs."""
    delayed = cell.delayed(z)
    past = None if delayed is None else _step_earlier(delayed, cell.past(state), switches, reverse)
    gates = cell.activate(z, past)
    a, b = cell.coefficients(gates)
    a, b = switched(jnp.broadcast_to(a, b.shape), b, switches)
    memory = solve(parallel, reverse, a, b, cell.memory(state))
    shown = cell.show(memory, gates)
    each = cell.remember(shown, memory, delayed)
    final = last_valid(each, state, switches, reverse)
    return final, shown if switches.valid is None else choose_steps(switches.valid, shown, jnp.zeros_like(shown))


def switched(a: Array, b: Array, switches: Switches) -> tuple[Array, Array]:
    """Coefficients under which fresh starts forget everything and padding changes nothing."""
    if switches.fresh is not None:
        a = choose_steps(switches.fresh, jnp.zeros_like(a), a)
    if switches.valid is not None:
        a = choose_steps(switches.valid, a, jnp.ones_like(a))
        b = choose_steps(switches.valid, b, jnp.zeros_like(b))
    return a, b


@partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def solve(parallel: bool, reverse: bool, a: Array, b: Array, start: Array) -> Array:
    """``c_t`` for all steps, from ``a`` and ``b`` of shape ``[time, ...]`` and the state before the first step."""
    if not parallel:

        def body(c: Array, step: tuple[Array, Array]) -> tuple[Array, Array]:
            c = step[0] * c + step[1]
            return c, c

        return jax.lax.scan(body, start, (a, b), reverse=reverse)[1]
    first = -1 if reverse else 0
    b = b.at[first].add(a[first] * start)
    return jax.lax.associative_scan(_after, (a, b), reverse=reverse)[1]


def _after(one: tuple[Array, Array], other: tuple[Array, Array]) -> tuple[Array, Array]:
    """Two steps as one."""
    return one[0] * other[0], other[0] * one[1] + other[1]


def _solve_and_save(parallel, reverse, a, b, start):
    c: Any = solve(parallel, reverse, a, b, start)
    return c, (a, c, start)


def _solve_backward(parallel, reverse, saved, d_c):
    a, c, start = saved
    first = -1 if reverse else 0
    later = _shift(a, jnp.zeros_like(start), not reverse)
    d_b: Any = solve(parallel, not reverse, later, d_c, jnp.zeros_like(start))
    return d_b * _shift(c, start, reverse), d_b, a[first] * d_b[first]


solve.defvjp(_solve_and_save, _solve_backward)


def _shift(values: Array, start: Array, reverse: bool) -> Array:
    """What every step finds: the value of the step before it, and ``start`` at the first."""
    parts = [values[1:], start[None]] if reverse else [start[None], values[:-1]]
    return jnp.concatenate(parts)


def _step_earlier(values: Array, start: Array, switches: Switches, reverse: bool) -> Array:
    """:func:`_shift` with padding, which hands on what was before it, and fresh starts at zero."""
    if switches.valid is not None:
        values = choose_steps(switches.valid, values, jnp.broadcast_to(start, values.shape))
    values = _shift(values, start, reverse)
    return values if switches.fresh is None else choose_steps(switches.fresh, jnp.zeros_like(values), values)


def choose_steps(mask: Array, yes: Array, no: Array) -> Array:
    """``yes`` at the steps and sequences ``[time, batch]`` where the mask holds, else ``no``."""
    return jnp.where(mask.reshape(mask.shape + (1,) * (yes.ndim - 2)), yes, no)


def last_valid(each: Any, state: Any, switches: Switches, reverse: bool) -> Any:
    """The state after the last step of the walk that was no padding; the first one where all were."""
    if switches.valid is None:
        return jax.tree.map(lambda a: a[0 if reverse else -1], each)
    count = jnp.sum(switches.valid, axis=0)
    last = jnp.zeros_like(count) if reverse else jnp.maximum(count - 1, 0)
    final = jax.tree.map(lambda a: a[last, jnp.arange(a.shape[1])], each)
    return choose(count > 0, final, state)
