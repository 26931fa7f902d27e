"""Dropout and noise with explicit keys: masks are drawn once per sequence, outside every loop."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from lstmlab.arrays import Key, Scalar
from lstmlab.cells.regularise import dropout_mask

Rate: TypeAlias = float | Scalar | None


class Rates(NamedTuple):
    """Dropout rates and the like. ``None`` leaves a kind out of the compiled program; numbers may be traced."""

    input: Rate = None
    """on the inputs of the first layer"""
    layer: Rate = None
    """between layers, and before the head"""
    recurrent: Rate = None
    """on ``h`` in the recurrent products, one mask per sequence (Gal & Ghahramani 2016)"""
    candidate: Rate = None
    """on the candidate, one mask per step (Semeniuta et al. 2016)"""
    weight: Rate = None
    """on the recurrent kernels, one mask per batch (weight drop of AWD-LSTM, Merity et al. 2018)"""
    zoneout: Rate = None
    """probability that a state element keeps its old value (Krueger et al. 2017)"""
    input_noise: Rate = None
    """standard deviation of Gaussian noise on the inputs of the first layer (Greff et al. 2017)"""


NO_DROPOUT = Rates()


def sequence_dropout(
    x: Float[Array, "time batch *features"],
    rate: Rate,
    key: Key | None,
    *,
    variational: bool,
) -> Float[Array, "time batch *features"]:
    """Drop features; ``variational`` uses one mask for all steps. Without a key (evaluation) nothing is dropped."""
    if rate is None or key is None:
        return x
    shape = (1, *x.shape[1:]) if variational else x.shape
    return x * dropout_mask(key, rate, shape).astype(x.dtype)


def add_noise(
    x: Float[Array, "time batch *features"], deviation: Rate, key: Key | None
) -> Float[Array, "time batch *features"]:
    """Gaussian noise on every feature. Without a key (evaluation) none is added."""
    if deviation is None or key is None:
        return x
    return x + jnp.asarray(deviation, x.dtype) * jax.random.normal(key, x.shape, x.dtype)


def fold(key: Key | None, number: ArrayLike) -> Key | None:
    """``fold_in(key, number)``, an independent key; ``None`` without a key."""
    return None if key is None else jax.random.fold_in(key, number)
