"""Sampling from a token model: one compiled loop, the state carried step by step."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from lstmlab.models.dropout import NO_DROPOUT, Rates
from lstmlab.models.sequence import SequenceModel


@partial(jax.jit, static_argnames="length")
def generate(
    model: SequenceModel,
    prompt: Int[Array, "batch prompt"],
    length: int,
    key: PRNGKeyArray,
    temperature: Float[Array, ""] | float = 1.0,
    rates: Rates = NO_DROPOUT,
) -> Int[Array, "batch length"]:
    """Tokens that continue each prompt, drawn from ``softmax(logits / temperature)``.

    A temperature of 0 takes the likeliest token. Prompts hold at least one token. Nothing is dropped; a zoneout rate
    acts by its expectation.
    """
    read = model(prompt, rates=rates)

    def draw(key: PRNGKeyArray, logits: Array) -> Array:
        warm = jnp.maximum(temperature, 1e-6)
        sampled = jax.random.categorical(key, logits / warm)
        return jnp.where(temperature > 0, sampled, jnp.argmax(logits, axis=-1)).astype(prompt.dtype)

    def body(carry: tuple[Array, object], key: PRNGKeyArray) -> tuple[tuple[Array, object], Array]:
        logits, state = carry
        token = draw(key, logits)
        out = model(token[:, None], state, rates=rates)
        return (out.outputs[:, -1], out.state), token

    first = (read.outputs[:, -1], read.state)
    _, tokens = jax.lax.scan(body, first, jax.random.split(key, length))
    return tokens.T
