r"""Memories that are sums of outer products under a scalar decay, a stretch of steps at a time.

.. math::
    C_t = a_t C_{t-1} + b_t\, k_t v_t^\top, \qquad n_t = a_t n_{t-1} + b_t\, k_t, \qquad
    m_t = \max(\log a_t + m_{t-1}, \log b_t)

with :math:`C, n` stored divided by :math:`\exp m_t`. The stabiliser of all steps comes from a parallel prefix sum over
:math:`(\max, +)`. Within a chunk that starts from :math:`C_0, n_0, m_0`, what step :math:`t` reads is attention:

.. math::
    q_t^\top C_t = D_{t0}\, q_t^\top C_0 + \sum_{j \le t} D_{tj}\, (q_t^\top k_j)\, v_j^\top, \qquad
    D_{tj} = \exp\Big(\sum_{l=j+1}^{t} \log a_l + \log b_j - m_t\Big)

with :math:`\log b_0 = m_0`, and the same with 1 for :math:`v` gives :math:`q_t^\top n_t`. Every exponent is at most 0.
A loop over chunks hands on :math:`C, n`; its backward pass keeps these alone and computes each chunk again.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from lstmlab.arrays import Projected
from lstmlab.cells.forms import MatrixForm, Terms
from lstmlab.cells.matrix import MatrixState
from lstmlab.recurrence.linear import last_valid, masked_coefficients, solve
from lstmlab.recurrence.masks import StepMask, tree_where, where_steps, zero_padding

LONGEST_CHUNK = 64
Memory = tuple[Float[Array, "batch heads keys values"], Float[Array, "batch heads keys"]]
"""``C`` and ``n``."""


def chunkwise(
    cell: MatrixForm, z: Projected, state: MatrixState, step_mask: StepMask, *, reverse: bool
) -> tuple[MatrixState, Array]:
    """Run a cell of the matrix form over projected inputs ``z`` (time-major): final state and outputs."""
    gates = cell.activate(z)
    walk = (cell.terms(gates), step_mask)
    terms, order = jax.tree.map(lambda a: a[::-1], walk) if reverse else walk
    (C, n), read, mass, m = _walk(terms, order, state)
    last_m = m[-1]
    if reverse:
        read, mass, m = (a[::-1] for a in (read, mass, m))
    outputs = cell.output_from(read, mass, m, gates)
    keep = cell.output_keep(z)
    if keep is not None:
        outputs = solve(True, reverse, *masked_coefficients(keep, (1 - keep) * outputs, step_mask), state.h)
    final = state._replace(h=last_valid(outputs, state.h, step_mask, reverse), C=C, n=n, m=last_m)
    if step_mask.mask is not None:
        final = tree_where(jnp.any(step_mask.mask, axis=0), final, state)
    return final, zero_padding(outputs, step_mask)


def _walk(
    terms: Terms, step_mask: StepMask, state: MatrixState
) -> tuple[
    Memory, Float[Array, "time batch heads values"], Float[Array, "time batch heads"], Float[Array, "time batch heads"]
]:
    """Final ``(C, n)``, and ``q C``, ``q n`` and ``m`` of all steps, walking forwards."""
    q, k, v, decay, weight = terms
    # After a reset the memory is empty, and its stabiliser 0.
    alone = weight
    if step_mask.reset is not None:
        alone = where_steps(step_mask.reset, jnp.maximum(decay, weight), weight)
        decay = where_steps(step_mask.reset, jnp.full_like(decay, -jnp.inf), decay)
    if step_mask.mask is not None:
        decay = where_steps(step_mask.mask, decay, jnp.zeros_like(decay))
        weight, alone = (where_steps(step_mask.mask, a, jnp.full_like(a, -jnp.inf)) for a in (weight, alone))
    m = _stabiliser(decay, alone, state.m)

    time = len(decay)
    chunks = -(-time // LONGEST_CHUNK)
    length = -(-time // chunks)

    def cut(a: Array, filler: float | Array = 0.0) -> Array:
        """``[chunks, batch, heads, length, ...]``, with steps at the end that change nothing."""
        rest = jnp.broadcast_to(jnp.asarray(filler, a.dtype), (chunks * length - time, *a.shape[1:]))
        parts = jnp.concatenate([a, rest]).reshape(chunks, length, *a.shape[1:])
        return jnp.moveaxis(parts, 1, 3)

    q, k, v, decay, weight, m_cut = cut(q), cut(k), cut(v), cut(decay), cut(weight, -jnp.inf), cut(m, m[-1])
    before = jnp.concatenate([state.m[None], m_cut[:-1, ..., -1]])
    memory, (read, mass) = jax.lax.scan(_chunk, (state.C, state.n), (q, k, v, decay, weight, before, m_cut))

    def joined(a: Array) -> Array:
        a = jnp.moveaxis(a, 3, 1)
        return a.reshape(chunks * length, *a.shape[2:])[:time]

    return memory, joined(read), joined(mass), m


@jax.checkpoint
def _chunk(memory: Memory, chunk: tuple[Array, ...]) -> tuple[Memory, tuple[Array, Array]]:
    """One chunk, arrays ``[batch, heads, length, ...]``: the memory after it, and what its steps read."""
    C, n = memory
    q, k, v, decay, weight, before, m = chunk
    sources = jnp.concatenate([before[..., None], weight], axis=-1)
    exponents = _decays(decay) + sources[..., None, :] - m[..., None]
    D = jnp.exp(exponents)
    first, within = D[..., 0], D[..., 1:]
    scores = jnp.einsum("bhtk,bhjk->bhtj", q, k) * within
    read = first[..., None] * jnp.einsum("bhtk,bhkv->bhtv", q, C) + jnp.einsum("bhtj,bhjv->bhtv", scores, v)
    mass = first * jnp.einsum("bhtk,bhk->bht", q, n) + jnp.sum(scores, axis=-1)
    weighted = within[..., -1, :, None] * k
    C = first[..., -1, None, None] * C + jnp.einsum("bhjk,bhjv->bhkv", weighted, v)
    n = first[..., -1, None] * n + jnp.sum(weighted, axis=-2)
    return (C, n), (read, mass)


def _decays(decay: Array) -> Array:
    r"""``[..., t, j]``: :math:`\sum_{l=j}^{t} \log a_l`, what step ``t`` has left of a memory before step ``j``.

    Sums, never differences of sums: those would lose digits, and be no numbers after a decay of zero. Memories of the
    future are ``-inf``.
    """
    length = decay.shape[-1]
    t, j = jnp.arange(length)[:, None], jnp.arange(length + 1)[None, :]
    sums = jnp.cumsum(jnp.where(t >= j, decay[..., :, None], 0.0), axis=-2)
    return jnp.where(t + 1 >= j, sums, -jnp.inf)


def _stabiliser(decay: Array, weight: Array, start: Array) -> Array:
    """``m_t = max(decay_t + m_{t-1}, weight_t)`` for all steps."""

    def after(one: tuple[Array, Array], other: tuple[Array, Array]) -> tuple[Array, Array]:
        return one[0] + other[0], jnp.maximum(other[0] + one[1], other[1])

    weight = weight.at[0].set(jnp.maximum(decay[0] + start, weight[0]))
    return jax.lax.associative_scan(after, (decay, weight))[1]
