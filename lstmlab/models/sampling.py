"""Going on with a sequence of vectors: what a task draws from an output is the next input, in one compiled loop."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import jax
from jaxtyping import Array, Float, PRNGKeyArray

from lstmlab.models.dropout import NO_DROPOUT, Rates
from lstmlab.models.sequence import SequenceModel

Draw = Callable[[Array, PRNGKeyArray], Array]
"""From outputs ``[batch, ...]`` and a key to inputs ``[batch, ...]`` of the next step."""


@partial(jax.jit, static_argnames=("length", "draw"))
def continue_sequence(
    model: SequenceModel,
    prompt: Float[Array, "batch prompt *features"],
    length: int,
    key: PRNGKeyArray,
    draw: Draw,
    rates: Rates = NO_DROPOUT,
) -> Float[Array, "batch length *features"]:
    """``length`` steps x that continue each prompt: from the output after x₁ … x_t, ``draw`` makes x_{t+1}.

    Prompts hold at least one step. Nothing is dropped; a zoneout rate acts by its expectation. ``draw`` is compiled
    in: equal functions share a program.
    """
    read = model(prompt, rates=rates)

    def body(carry: tuple[Array, object], key: PRNGKeyArray) -> tuple[tuple[Array, object], Array]:
        output, state = carry
        step = draw(output, key)
        out = model(step[:, None], state, rates=rates)
        return (out.outputs[:, -1], out.state), step

    first = (read.outputs[:, -1], read.state)
    _, steps = jax.lax.scan(body, first, jax.random.split(key, length))
    return steps.swapaxes(0, 1)
