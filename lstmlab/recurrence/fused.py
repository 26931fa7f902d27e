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


def fused(cell: Any, z: Any, state: Any, switches: Switches, *, reverse: bool) -> tuple[Any, Any]:
    """As :func:`lstmlab.recurrence.scan.scan`, without gate activations: final state and outputs."""
    return _fused(reverse, cell.recurrent, cell.pointwise(), z, state, switches)


def _forward(
    reverse: bool, recurrent: Any, pointwise: Any, z: Any, state: Any,
    switches: Switches, save: bool,
) -> Any:  # fmt: skip
    def body(state: Any, step: tuple[Any, Switches]) -> tuple[Any, Any]:
        z, switch = step
        before = refresh(switch.fresh, state)
        r = recurrent(before.h)
        after, _ = pointwise.update(before, z, r)
        output = choose(switch.valid, after.h, zeros_like(after.h))
        saved = (before, r) if save else None
        return choose(switch.valid, after, state), (output, saved)

    return jax.lax.scan(body, state, (z, switches), reverse=reverse)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _fused(reverse, recurrent, pointwise, z, state, switches):
    final, (outputs, _) = _forward(reverse, recurrent, pointwise, z, state, switches, save=False)
    return final, outputs


def _save(reverse, recurrent, pointwise, z, state, switches):
    final, (outputs, saved) = _forward(reverse, recurrent, pointwise, z, state, switches, save=True)
    return (final, outputs), (recurrent, pointwise, z, switches, saved)


def _backward(reverse, residuals, cotangents):
    recurrent, pointwise, z, switches, (before, r) = residuals
    d_final, d_outputs = cotangents
    transposed = recurrent.transposed(jax.eval_shape(lambda h: h[0], before.h))

    def body(carry: Any, step: Any) -> tuple[Any, Any]:
        d_after, d_pointwise = carry
        d_output, z, switch, before, r = step
        # A padded step passed its state through and showed nothing: its cotangent passes through as well.
        d_new = d_after._replace(h=d_after.h + d_output)
        d_new = choose(switch.valid, d_new, zeros_like(d_new))
        _, vjp, _ = jax.vjp(lambda p, s, z, r: p.update(s, z, r), pointwise, before, z, r, has_aux=True)
        d_params, d_before, d_z, d_r = vjp(d_new)
        d_before = d_before._replace(h=d_before.h + transposed(d_r))
        if switch.fresh is not None:
            d_before = choose(switch.fresh, zeros_like(d_before), d_before)
        if switch.valid is not None:
            d_before = choose(switch.valid, d_before, d_after)
        d_pointwise = jax.tree.map(jnp.add, d_pointwise, d_params)
        # Where update only sees z + r, both cotangents are one array: store it once.
        return (d_before, d_pointwise), (d_r, None if d_z is d_r else d_z)

    start = (d_final, zeros_like(pointwise))
    steps = (d_outputs, z, switches, before, r)
    (d_state, d_pointwise), (d_r, d_z) = jax.lax.scan(body, start, steps, reverse=not reverse)
    d_recurrent = jax.vjp(lambda m: m(before.h), recurrent)[1](d_r)[0]
    return d_recurrent, d_pointwise, d_r if d_z is None else d_z, d_state, None


_fused.defvjp(_save, _backward)
