"""From a model's inputs to those of its first layer: an embedding for tokens, a linear map for features, or nothing."""

from __future__ import annotations

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array

from lstmlab.arrays import Key
from lstmlab.cells.maps import LinearMap, make_map
from lstmlab.models.blocks import Sequences
from lstmlab.models.model_settings import ModelSettings
from lstmlab.tasks import Features, Tokens


class InputLayer(NamedTuple):
    """The parameters before the first recurrent layer, at most one of the two."""

    embedding: nnx.Param | None
    """``[tokens, width]``"""
    input_map: LinearMap | None
    width: int
    """features of the first recurrent layer's inputs"""


def make_input_layer(
    settings: ModelSettings, inputs: Tokens | Features, *, key: Key, spatial: tuple[int, ...]
) -> InputLayer:
    """An embedding for tokens; for features a linear map where a width is asked for.

    With ``spatial`` axes the map is applied at every place, without them to all places at once.
    """
    if isinstance(inputs, Tokens):
        width = settings.embedding_width
        return InputLayer(make_embedding(inputs.size, width, key=key), None, width)
    features = inputs.size if spatial else inputs.size * math.prod(inputs.spatial)
    width = settings.stream_width or settings.embedding_size
    if not width:
        return InputLayer(None, None, features)
    dense = make_map("dense", features, (width,), key=key, init="lecun_normal", bias=True, dtype=settings.dtype)
    return InputLayer(None, dense, width)


def make_embedding(tokens: int, width: int, *, key: Key) -> nnx.Param:
    """A table ``[tokens, width]`` of normal numbers with a standard deviation of 0.1."""
    return nnx.Param(0.1 * jax.random.normal(key, (tokens, width), jnp.float32))


def embed_inputs(
    inputs: Array, embedding: nnx.Param | None, input_map: LinearMap | None, *, spatial: tuple[int, ...]
) -> Sequences:
    """Inputs of the first layer ``[time, batch, *spatial, width]`` from those of the model, ``[batch, time]`` tokens
    or ``[batch, time, *spatial, features]``."""
    xs = jnp.swapaxes(inputs, 0, 1)
    if embedding is not None:
        return jnp.asarray(embedding)[xs]
    if not spatial:
        xs = xs.reshape(*xs.shape[:2], -1)
    return xs if input_map is None else input_map(xs)
