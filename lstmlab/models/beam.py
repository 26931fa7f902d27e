"""Beam search with an encoder-decoder: one compiled loop for a whole batch of sources."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from lstmlab.models.dropout import NO_DROPOUT, Rates
from lstmlab.models.encoder_decoder import EncoderDecoder

NEVER = -1e30


class Hypotheses(NamedTuple):
    """The best outputs of each source, best first."""

    tokens: Int[Array, "batch beam length"]
    """without the start token; the end token, where reached, and padding after it"""
    scores: Float[Array, "batch beam"]
    """log-probability, in nats, over ``((5 + length) / 6)^α``"""
    attention: Float[Array, "batch beam length source"] | None = None
    """the weights with which each token was chosen, if the model has any"""


@partial(jax.jit, static_argnames=("length", "beam", "alpha"))
def beam_search(
    model: EncoderDecoder,
    source: Int[Array, "batch source"],
    length: int,
    beam: int = 1,
    *,
    alpha: float = 1.0,
    rates: Rates = NO_DROPOUT,
) -> Hypotheses:
    """The ``beam`` best of the outputs kept at each step; ``beam=1`` is the greedy choice.

    A hypothesis Y of \\|Y\\| tokens (the end token among them) is ranked by ``log p(Y|X) / ((5 + |Y|) / 6)^α``, the
    length normalisation of Wu et al. 2016, arXiv:1609.08144; finished ones keep their place and compete with those
    that go on. What has not ended after ``length`` tokens is returned as it is.
    """
    pad, start, end = model.inputs.pad, model.inputs.start, model.inputs.end
    batch, size = source.shape[0], model.inputs.target
    encoded, state = model.encode(source, rates=rates)
    encoded, state = _repeat(encoded, beam, 1), _repeat(state, beam, 0)

    def rank(total: Array, taken: Array) -> Array:
        return total / ((5 + taken) / 6) ** alpha

    def body(carry: Any, at: Array) -> tuple[Any, None]:
        state, last, tokens, maps, total, taken, ended = carry
        logits, after, weights = model.decode(encoded, last.reshape(-1, 1), state, rates=rates)
        logs = jax.nn.log_softmax(logits[:, 0]).reshape(batch, beam, size)
        logs = logs.at[..., jnp.asarray([pad, start])].set(NEVER)
        idle = jnp.full((size,), NEVER).at[pad].set(0.0)
        totals = total[..., None] + jnp.where(ended[..., None], idle, logs)
        lengths = taken + ~ended
        # At the first step all hypotheses are the same one.
        totals = jnp.where((at == 0) & (jnp.arange(beam) > 0)[None, :, None], 2 * NEVER, totals)
        _, best = jax.lax.top_k(rank(totals, lengths[..., None]).reshape(batch, -1), beam)
        parent, token = best // size, best % size
        rows = (parent + beam * jnp.arange(batch)[:, None]).reshape(-1)

        def heirs(values: Array) -> Array:
            return jnp.take_along_axis(values, parent.reshape(parent.shape + (1,) * (values.ndim - 2)), axis=1)

        if weights is not None:
            maps = heirs(maps.at[:, :, at].set(weights.reshape(batch, beam, -1)))
        tokens = heirs(tokens).at[:, :, at].set(token)
        total = jnp.take_along_axis(totals.reshape(batch, -1), best, axis=1)
        finished = heirs(ended) | (token == end)
        carry = (jax.tree.map(lambda a: a[rows], after), token, tokens, maps, total, heirs(lengths), finished)
        return carry, None

    has_maps = model.attention is not None
    first = (
        state,
        jnp.full((batch, beam), start, jnp.int32),
        jnp.full((batch, beam, length), pad, jnp.int32),
        jnp.zeros((batch, beam, length, source.shape[1])) if has_maps else None,
        jnp.zeros((batch, beam)),
        jnp.zeros((batch, beam), jnp.int32),
        jnp.zeros((batch, beam), bool),
    )
    (_, _, tokens, maps, total, taken, _), _ = jax.lax.scan(body, first, jnp.arange(length))
    return Hypotheses(tokens, rank(total, taken), maps)


def _repeat(tree: Any, times: int, axis: int) -> Any:
    return jax.tree.map(lambda a: jnp.repeat(a, times, axis=axis), tree)
