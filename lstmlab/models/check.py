"""What a caller gives to a model, checked while it is traced; what the cells are given is checked where they run."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from lstmlab.arrays import Given, LengthsLike, MaskLike
from lstmlab.cells.check import check_real
from lstmlab.recurrence.check import as_lengths, as_mask, is_known
from lstmlab.tasks import Features, TimedSteps, Tokens


def check_sequences(inputs: Given, form: Tokens | Features) -> Array:
    """The inputs ``[batch, time]`` of tokens, ``[batch, time, *spatial, features]`` of features, as an array.

    Raises ``ValueError`` for another shape; ``TypeError`` for tokens that are no integers, and features that are no
    real numbers.
    """
    shape = np.shape(inputs)
    if isinstance(form, Tokens):
        return check_tokens("inputs", inputs)
    check_real("inputs", inputs)
    features = (*form.spatial, form.size)
    if len(shape) != 2 + len(features) or shape[2:] != features:
        raise ValueError(
            f"inputs has shape {shape}, but the model reads (batch, time, {', '.join(map(str, features))})"
        )
    return jnp.asarray(inputs)


def split_times(inputs: Given | TimedSteps, form: Tokens | Features) -> tuple[Array, Array | None]:
    """The inputs as :func:`check_sequences` gives them, and the times of their steps ``[batch, time]``, if any.

    Raises as :func:`check_sequences`, and ``ValueError`` for times of another shape.
    """
    if not isinstance(inputs, TimedSteps):
        return check_sequences(inputs, form), None
    values, times = check_sequences(inputs.values, form), inputs.times
    check_real("times", times)
    if np.shape(times) != values.shape[:2]:
        raise ValueError(f"times has shape {np.shape(times)}, but must be {values.shape[:2]}: batch and time")
    return values, jnp.asarray(times)


def check_tokens(name: str, tokens: Given) -> Array:
    """Token numbers ``[batch, time]`` as an array; raises ``ValueError`` and ``TypeError`` for others."""
    if np.ndim(tokens) != 2:
        raise ValueError(f"{name} has shape {np.shape(tokens)}, but the model reads tokens of shape (batch, time)")
    if not jnp.issubdtype(jnp.result_type(tokens), jnp.integer):
        raise TypeError(f"{name} is of type {jnp.result_type(tokens)}, but tokens must be integers")
    return jnp.asarray(tokens)


def check_vocabulary(
    name: str, tokens: Array, size: int, lengths: Array | None = None, mask: Array | None = None
) -> None:
    """Raise ``ValueError`` for tokens ``[batch, time]`` that are not among ``0 … size - 1``; padding may be anything.

    Inside ``jax.jit`` tokens have no values yet, and nothing is checked: there JAX reads a negative one from the end of
    an embedding, and the last row for one beyond it.
    """
    if not all(map(is_known, (tokens, lengths, mask))):
        return
    values = np.asarray(tokens)
    wrong = (values < 0) | (values >= size)
    if lengths is not None:
        wrong &= np.arange(values.shape[1]) < np.asarray(lengths)[:, None]
    if mask is not None:
        wrong &= np.asarray(mask)
    if wrong.any():
        row, step = np.argwhere(wrong)[0]
        raise ValueError(f"{name}[{row}, {step}] is {values[row, step]}, but must be a token from 0 to {size - 1}")


def check_prompt(prompt: Given, length: int) -> None:
    """Raise ``ValueError`` for prompts without a step, or a negative number of new ones."""
    if np.ndim(prompt) < 2 or np.shape(prompt)[1] == 0:
        raise ValueError(f"prompt has shape {np.shape(prompt)}, but must be (batch, steps, ...) with at least one step")
    if length < 0:
        raise ValueError(f"length is {length}, but must be at least 0 steps")


def check_masks(
    lengths: LengthsLike | None, resets: MaskLike | None, mask: MaskLike | None, batch: int, time: int
) -> tuple[Array | None, Array | None, Array | None]:
    """Lengths ``[batch]``, and resets and the mask ``[batch, time]``, as arrays; raises as :mod:`recurrence.check`."""
    axes = "batch and time"
    return (
        as_lengths(lengths, time, batch),
        as_mask("resets", resets, (batch, time), axes),
        as_mask("mask", mask, (batch, time), axes),
    )


def check_states(state: Any, layers: Any) -> None:
    """Raise ``ValueError`` unless there is a state for every layer and direction; cells check each of them."""
    if state is None:
        return
    wanted = [len(layer.cells) for layer in layers]
    if not isinstance(state, list | tuple) or len(state) != len(wanted):
        raise ValueError(
            f"state is a {type(state).__name__} of {len(state) if isinstance(state, list | tuple) else 1}, but must be "
            f"a list with one entry for each of {len(wanted)} layers: take it from model.initial_state(batch)"
        )
    for number, (given, directions) in enumerate(zip(state, wanted, strict=True)):
        if hasattr(given, "_fields") or not isinstance(given, list | tuple) or len(given) != directions:
            raise ValueError(
                f"state[{number}] must be a tuple with one state per direction ({directions}): take it from "
                "model.initial_state(batch)"
            )
