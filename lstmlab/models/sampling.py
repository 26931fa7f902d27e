"""Continuing a sequence in one compiled loop: each next input is drawn from the output before it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Shaped

from lstmlab.arrays import Given, Key
from lstmlab.models.base import RecurrentModel
from lstmlab.models.check import check_prompt
from lstmlab.models.dropout import NO_DROPOUT, Rates
from lstmlab.models.stack import StackState
from lstmlab.promotion import standard_promotion

Draw: TypeAlias = Callable[[Float[Array, " batch *outputs"], Key], Float[Array, " batch *features"]]
"""From outputs ``[batch, ...]`` and a key to inputs ``[batch, ...]`` of the next step."""


@partial(jax.jit, static_argnames=("length", "draw"))
@standard_promotion
def continue_sequence(
    model: RecurrentModel,
    prompt: Given,
    length: int,
    key: Key,
    draw: Draw,
    rates: Rates = NO_DROPOUT,
) -> Float[Array, "batch length *features"]:
    """``length`` steps x that continue each prompt: ``draw`` makes x_{t+1} from the output after x₁ … x_t.

    Prompts hold at least one step. Nothing is dropped; a zoneout rate acts by its expectation. ``draw`` is compiled
    in: equal functions share a program.
    """
    check_prompt(prompt, length)
    return extend(model, jnp.asarray(prompt), draw, jax.random.split(key, length), rates)


def extend(
    model: RecurrentModel,
    prompt: Shaped[Array, "batch prompt *features"],
    draw: Callable[[Array, Array], Array],
    steps: Shaped[Array, " length"],
    rates: Rates,
) -> Shaped[Array, "batch length *features"]:
    """One new input for each entry of ``steps``: ``draw`` makes it from the last output and that entry."""
    start = model(prompt, rates=rates)

    def body(carry: tuple[Array, StackState], step: Array) -> tuple[tuple[Array, StackState], Array]:
        output, state = carry
        new = draw(output, step)
        out = model(new[:, None], state, rates=rates)
        return (out.outputs[:, -1], out.state), new

    _, drawn = jax.lax.scan(body, (start.outputs[:, -1], start.state), steps)
    return drawn.swapaxes(0, 1)
