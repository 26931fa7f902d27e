r"""A backward pass of our own for any cell of the form *linear map + pointwise function*.

Autodiff through ``lax.scan`` forms the gradient of the recurrent kernel inside the loop: one product and one
kernel-sized addition per step. Here the reverse loop only walks the pointwise function and the transposed map,

.. math::
    \bar s_{t-1}, \bar z_t, \bar r_t = \text{vjp}(\text{update})(\bar s_t), \qquad
    \bar h_{t-1} \mathrel{+}= U^\top \bar r_t,

and the gradient of the map is ONE product over all steps after it: :math:`\bar U = \sum_t h_{t-1} \bar r_t^\top`.
States and recurrent products are saved; gates are recomputed in the loop, which costs less than storing them.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from lstmlab.recurrence.masks import Switches, choose, refresh, zeros_like

# Steps per block on CPUs: a long sequence's projections do not fit the caches, and fresh memory costs page faults.
LONGEST_BLOCK, SHORTEST_BLOCK = 64, 16


def fused(cell: Any, xs: Any, state: Any, switches: Switches, *, reverse: bool) -> tuple[Any, Any]:
    """Run the cell over inputs ``xs`` (time-major): final state and outputs."""

    def run(state: Any, part: tuple[Any, Switches]) -> tuple[Any, Any]:
        xs, switches = part
        return _fused(reverse, cell.recurrent, cell.pointwise(), cell.project(xs), state, switches)

    time = jax.tree.leaves(xs)[0].shape[0]
    block = block_length(time) if jax.default_backend() == "cpu" else time
    if block == time:
        return run(state, (xs, switches))
    blocks = jax.tree.map(lambda a: a.reshape(-1, block, *a.shape[1:]), (xs, switches))
    final, outputs = jax.lax.scan(run, state, blocks, reverse=reverse)
    return final, outputs.reshape(time, *outputs.shape[2:])


def block_length(time: int) -> int:
    """The longest block that divides the sequence evenly, or all of it where none does."""
    if time <= LONGEST_BLOCK:
        return time
    return next((n for n in range(LONGEST_BLOCK, SHORTEST_BLOCK - 1, -1) if time % n == 0), time)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _fused(reverse, recurrent, pointwise, z, state, switches):
    def body(state: Any, step: tuple[Any, Switches]) -> tuple[Any, Any]:
        state, _ = _advance(recurrent, pointwise, state, *step)
        return state, state.h

    final, hs = jax.lax.scan(body, state, (z, switches), reverse=reverse)
    return final, _shown(hs, switches)


def _save(reverse, recurrent, pointwise, z, state, switches):
    additive = _sees_only_the_sum(pointwise, state, z, recurrent)

    def body(state: Any, step: tuple[Any, Switches]) -> tuple[Any, Any]:
        after, r = _advance(recurrent, pointwise, state, *step)
        # One array is saved where update reads z + r alone; z itself is then not needed again.
        return after, (after, step[0] + r if additive else r)

    final, (after, r) = jax.lax.scan(body, state, (z, switches), reverse=reverse)
    saved = (state, after, r, None if additive else z)
    return (final, _shown(after.h, switches)), (recurrent, pointwise, switches, saved)


def _backward(reverse, residuals, cotangents):
    recurrent, pointwise, switches, (state, after, r, z) = residuals
    d_final, d_outputs = cotangents
    before = _before(state, after, switches, reverse)
    transposed = recurrent.transposed(jax.eval_shape(lambda h: h[0], before.h))

    def body(carry: Any, step: Any) -> tuple[Any, Any]:
        d_after, d_pointwise = carry
        d_output, switch, before, r, z = step
        # A padded step passed its state through and showed nothing: its cotangent passes through as well.
        d_new = d_after._replace(h=d_after.h + d_output)
        d_new = choose(switch.valid, d_new, zeros_like(d_new))
        d_params, d_before, d_z, d_r = _pointwise_vjp(pointwise, before, z, r, d_new)
        d_before = d_before._replace(h=d_before.h + transposed(d_r))
        if switch.fresh is not None:
            d_before = choose(switch.fresh, zeros_like(d_before), d_before)
        if switch.valid is not None:
            d_before = choose(switch.valid, d_before, d_after)
        return (d_before, jax.tree.map(jnp.add, d_pointwise, d_params)), (d_r, None if z is None else d_z)

    start = (d_final, zeros_like(pointwise))
    steps = (d_outputs, switches, before, r, z)
    (d_state, d_pointwise), (d_r, d_z) = jax.lax.scan(body, start, steps, reverse=not reverse)
    d_recurrent = jax.vjp(lambda m: m(before.h), recurrent)[1](d_r)[0]
    return d_recurrent, d_pointwise, d_r if z is None else d_z, d_state, None


def _advance(recurrent: Any, pointwise: Any, state: Any, z: Any, switch: Switches) -> tuple[Any, Any]:
    """One step with its switches: the new state and the recurrent product."""
    before = refresh(switch.fresh, state)
    r = recurrent(before.h)
    after, _ = pointwise.update(before, z, r)
    return choose(switch.valid, after, state), r


def _shown(hs: Any, switches: Switches) -> Any:
    """Outputs of all steps: the states' ``h``, zero on padded steps."""
    if switches.valid is None:
        return hs
    return jnp.where(switches.valid.reshape(switches.valid.shape + (1,) * (hs.ndim - 2)), hs, 0)


def _before(state: Any, after: Any, switches: Switches, reverse: bool) -> Any:
    """The states that all steps started from, rebuilt from those that they ended with."""

    def shift(first: Any, later: Any) -> Any:
        parts = [later[1:], first[None]] if reverse else [first[None], later[:-1]]
        return jnp.concatenate(parts)

    before = jax.tree.map(shift, state, after)
    return before if switches.fresh is None else jax.vmap(refresh)(switches.fresh, before)


def _pointwise_vjp(pointwise: Any, before: Any, z: Any, r: Any, d_new: Any) -> Any:
    """Cotangents of update's parameters, state, ``z`` and ``r``. Without ``z``, ``r`` holds their sum."""
    if z is not None:
        return jax.vjp(lambda p, s, z, r: p.update(s, z, r)[0], pointwise, before, z, r)[1](d_new)
    zero = jnp.zeros_like(r)
    d_params, d_before, d_sum = jax.vjp(lambda p, s, a: p.update(s, a, zero)[0], pointwise, before, r)[1](d_new)
    return d_params, d_before, d_sum, d_sum


def _sees_only_the_sum(pointwise: Any, state: Any, z: Any, recurrent: Any) -> bool:
    """Whether update depends on ``z + r`` alone: then both have one and the same cotangent, whatever the inputs."""
    found: list[bool] = []

    def probe(pointwise: Any, state: Any, z: Any) -> None:
        new, vjp = jax.vjp(lambda z, r: pointwise.update(state, z, r)[0], z, recurrent(state.h))
        d_z, d_r = vjp(new)
        found.append(d_z is d_r)

    jax.eval_shape(probe, pointwise, state, jax.tree.map(lambda a: a[0], z))
    return found[0]


_fused.defvjp(_save, _backward)
