"""Sampling from a token model: temperature, top-k and top-p."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from lstmlab.arrays import Given, Key, Scalar
from lstmlab.models.base import RecurrentModel
from lstmlab.models.check import check_prompt, check_tokens
from lstmlab.models.dropout import NO_DROPOUT, Rates
from lstmlab.models.sampling import extend
from lstmlab.promotion import standard_promotion


@partial(jax.jit, static_argnames="length")
@standard_promotion
def generate(
    model: RecurrentModel,
    prompt: Given,
    length: int,
    key: Key,
    temperature: Scalar | float = 1.0,
    rates: Rates = NO_DROPOUT,
    top_k: Int[Array, ""] | int = 0,
    top_p: Scalar | float = 1.0,
) -> Int[Array, "batch length"]:
    """Tokens that continue each prompt, drawn from ``softmax(logits / temperature)`` among the :func:`likeliest`.

    A temperature of 0 takes the likeliest token. Prompts hold at least one token, none of them outside the vocabulary:
    that is not checked in compiled code. Nothing is dropped; a zoneout rate
    acts by its expectation. Row i draws from keys of its own, ``fold_in(fold_in(key, i), step)``: it does not depend
    on the number of rows, and a longer text begins with the shorter one (up to rounding, which may differ between
    batches of different sizes).
    """
    prompt = check_tokens("prompt", prompt)
    check_prompt(prompt, length)
    row_keys = jax.vmap(jax.random.fold_in, (None, 0))(key, jnp.arange(prompt.shape[0]))

    def draw(logits: Array, step: Array) -> Array:
        allowed = likeliest(logits / jnp.maximum(temperature, 1e-6), top_k, top_p)
        keys = jax.vmap(jax.random.fold_in, (0, None))(row_keys, step)
        sampled = jax.vmap(jax.random.categorical)(keys, allowed)
        return jnp.where(temperature > 0, sampled, jnp.argmax(logits, axis=-1)).astype(prompt.dtype)

    return extend(model, prompt, draw, jnp.arange(length), rates)


def likeliest(
    logits: Float[Array, "batch size"], top_k: Int[Array, ""] | int, top_p: Scalar | float
) -> Float[Array, "batch size"]:
    """Logits with −∞ for every token that may not be drawn.

    ``top_k`` keeps the k likeliest tokens, 0 all of them. ``top_p`` keeps the nucleus, the smallest set of likeliest
    tokens whose probabilities, renormalised after ``top_k``, add up to at least p (Holtzman et al. 2020); at least one
    token, and all at 1. Of equally likely tokens the one with the lower index goes first.
    """

    def filtered(logits: Array) -> Array:
        order = jnp.argsort(-logits, axis=-1, stable=True)
        descending = jnp.take_along_axis(logits, order, axis=-1)
        keep = jnp.arange(logits.shape[-1]) < jnp.where(top_k > 0, top_k, logits.shape[-1])
        probabilities = jax.nn.softmax(jnp.where(keep, descending, -jnp.inf), axis=-1)
        before = jnp.cumsum(probabilities, axis=-1) - probabilities
        # Rounding may take the sum to 1 before the last token.
        keep &= (before < top_p) | (top_p >= 1)
        rows = jnp.arange(logits.shape[0])[:, None]
        return jnp.full_like(logits, -jnp.inf).at[rows, order].set(jnp.where(keep, descending, -jnp.inf))

    # Sorting a large vocabulary takes longer than a step of the model.
    restricted = jnp.logical_or(jnp.asarray(top_k) > 0, jnp.asarray(top_p) < 1)
    return jax.lax.cond(restricted, filtered, lambda logits: logits, logits)
