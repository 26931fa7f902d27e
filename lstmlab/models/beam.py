"""Beam search with an encoder-decoder: one compiled loop for a whole batch of sources."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from lstmlab.arrays import Given, Step
from lstmlab.models.check import check_tokens
from lstmlab.models.dropout import NO_DROPOUT, Rates
from lstmlab.models.encoder_decoder import EncoderDecoder
from lstmlab.models.stack import StackState
from lstmlab.promotion import parameter_type, standard_promotion

T = TypeVar("T")
IMPOSSIBLE = -1e30
"""the log-probability of what may not be chosen"""


class Hypotheses(NamedTuple):
    """The best outputs of each source, best first."""

    tokens: Int[Array, "batch beam length"]
    """without the start token; the end token, where reached, and padding after it"""
    scores: Float[Array, "batch beam"]
    """log-probability, in nats, over ``((5 + length) / 6)^α``"""
    attention: Float[Array, "batch beam length source"] | None = None
    """the weights with which each token was chosen, if the model has any"""


class Beams(NamedTuple):
    """The hypotheses while the search goes on."""

    state: StackState
    """of the decoder, rows ``batch · beam``"""
    last: Int[Array, "batch beam"]
    """the decoder's next inputs"""
    tokens: Int[Array, "batch beam length"]
    attention: Float[Array, "batch beam length source"] | None
    log_probability: Float[Array, "batch beam"]
    lengths: Int[Array, "batch beam"]
    finished: Bool[Array, "batch beam"]


@partial(jax.jit, static_argnames=("length", "beam", "alpha"))
@standard_promotion
def beam_search(
    model: EncoderDecoder,
    source: Given,
    length: int,
    beam: int = 1,
    *,
    alpha: float = 1.0,
    rates: Rates = NO_DROPOUT,
) -> Hypotheses:
    """The best outputs found when the ``beam`` best are kept at each step; ``beam=1`` is the greedy choice.

    A hypothesis Y of \\|Y\\| tokens (the end token among them) is ranked by ``log p(Y|X) / ((5 + |Y|) / 6)^α``, the
    length normalisation of Wu et al. 2016, arXiv:1609.08144; finished ones keep their place and compete with those
    that go on. What has not ended after ``length`` tokens is returned as it is. That the sources'
    tokens are in the vocabulary is not checked in compiled code.
    """
    source = check_tokens("source", source)
    if length < 0 or beam < 1:
        raise ValueError(f"length is {length} and beam {beam}, but must be at least 0 and 1")
    pad, start, end = model.inputs.pad, model.inputs.start, model.inputs.end
    batch, size = source.shape[0], model.inputs.target
    encoded, state = model.encode(source, rates=rates)
    encoded, state = _repeat(encoded, beam, 1), _repeat(state, beam, 0)

    def score(log_probability: Array, lengths: Array) -> Array:
        return log_probability / ((5 + lengths) / 6) ** alpha

    def body(beams: Beams, step: Step) -> tuple[Beams, None]:
        logits, state, weights = model.decode(encoded, beams.last.reshape(-1, 1), beams.state, rates=rates)
        logs = jax.nn.log_softmax(logits[:, 0]).reshape(batch, beam, size)
        logs = logs.at[..., jnp.asarray([pad, start])].set(IMPOSSIBLE)
        only_padding = jnp.full((size,), IMPOSSIBLE, logs.dtype).at[pad].set(0.0)
        totals = beams.log_probability[..., None] + jnp.where(beams.finished[..., None], only_padding, logs)
        lengths = beams.lengths + ~beams.finished
        # At the first step all hypotheses are the same one.
        totals = jnp.where((step == 0) & (jnp.arange(beam) > 0)[None, :, None], 2 * IMPOSSIBLE, totals)
        _, best = jax.lax.top_k(score(totals, lengths[..., None]).reshape(batch, -1), beam)
        parent, token = best // size, best % size
        rows = (parent + beam * jnp.arange(batch)[:, None]).reshape(-1)

        def of_parents(values: Array) -> Array:
            return jnp.take_along_axis(values, parent.reshape(parent.shape + (1,) * (values.ndim - 2)), axis=1)

        attention = beams.attention
        if attention is not None and weights is not None:
            attention = of_parents(attention.at[:, :, step].set(weights.reshape(batch, beam, -1)))
        beams = Beams(
            state=jax.tree.map(lambda a: a[rows], state),
            last=token,
            tokens=of_parents(beams.tokens).at[:, :, step].set(token),
            attention=attention,
            log_probability=jnp.take_along_axis(totals.reshape(batch, -1), best, axis=1),
            lengths=of_parents(lengths),
            finished=of_parents(beams.finished) | (token == end),
        )
        return beams, None

    real = parameter_type(model)
    first = Beams(
        state=state,
        last=jnp.full((batch, beam), start, jnp.int32),
        tokens=jnp.full((batch, beam, length), pad, jnp.int32),
        attention=None if model.attention is None else jnp.zeros((batch, beam, length, source.shape[1]), real),
        log_probability=jnp.zeros((batch, beam), real),
        lengths=jnp.zeros((batch, beam), jnp.int32),
        finished=jnp.zeros((batch, beam), bool),
    )
    beams, _ = jax.lax.scan(body, first, jnp.arange(length))
    return Hypotheses(beams.tokens, score(beams.log_probability, beams.lengths), beams.attention)


def _repeat(tree: T, times: int, axis: int) -> T:
    return jax.tree.map(lambda a: jnp.repeat(a, times, axis=axis), tree)
