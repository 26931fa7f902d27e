"""From the top layer's outputs to the model's: a dense map of its own, or one that shares the token embedding."""

from __future__ import annotations

import math
from typing import TypeAlias

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from lstmlab.arrays import Given, Key
from lstmlab.cells.maps import Dense, LinearMap, make_map
from lstmlab.tasks import Features, Tokens


class TiedHead(nnx.Module):
    r"""Logits from a matrix shared with the token embedding (Press & Wolf 2017, arXiv:1608.05859; Inan,
    Khosravi & Socher 2017, arXiv:1611.01462).

    With the embedding :math:`E` of shape ``[tokens, width]`` and the head's inputs :math:`h`:

    .. math:: y = h\,E^\top + b \quad\text{or, where $h$ has another width,}\quad y = (h P)\,E^\top + b

    The projection :math:`P` is learned and has no bias, as in an LSTM of 1024 units with embeddings of 400. The
    embedding is an argument and not a parameter of the head: it is counted, stored and updated once, and its gradient
    is the sum of those through the inputs and through the logits.

    Args:
        features: width of the head's inputs.
        width: width of the embedding.
        tokens: size of the vocabulary.
        key: random key of the projection.
        dtype: compute dtype of the products.
    """

    bias: nnx.Param
    projection: LinearMap | None
    dtype: str | None

    def __init__(self, features: int, width: int, tokens: int, *, key: Key, dtype: str | None) -> None:
        self.bias = nnx.Param(jnp.zeros(tokens, jnp.float32))
        self.projection = (
            None
            if features == width
            else make_map("dense", features, (width,), key=key, init="lecun_normal", dtype=dtype)
        )
        self.dtype = dtype

    def __call__(self, h: Float[Given, "*batch features"], embedding: nnx.Param) -> Float[Array, "*batch tokens"]:
        """The logits ``[*batch, tokens]``."""
        h = h if self.projection is None else self.projection(h)
        return Dense(jnp.asarray(embedding).T, jnp.asarray(self.bias), self.dtype)(h)

    def kernel(self, embedding: nnx.Param) -> Float[Array, "features tokens"]:
        """:math:`E^\\top` or :math:`P E^\\top`: the kernel of a dense head with the same outputs."""
        table = jnp.asarray(embedding).T
        return table if self.projection is None else jnp.asarray(self.projection.kernel) @ table


Head: TypeAlias = LinearMap | TiedHead


def make_head(features: int, size: int, tied_width: int | None, *, key: Key, dtype: str | None) -> Head:
    """The map from ``features`` to ``size`` outputs: dense, or tied to an embedding of width ``tied_width``."""
    if tied_width is None:
        return make_map("dense", features, (size,), key=key, init="glorot_uniform", bias=True, dtype=dtype)
    return TiedHead(features, tied_width, size, key=key, dtype=dtype)


def apply_head(
    head: Head, h: Float[Array, "*batch features"], embedding: nnx.Param | None
) -> Float[Array, "*batch size"]:
    """The head's outputs; only a tied head uses the embedding."""
    if not isinstance(head, TiedHead):
        return head(h)
    assert embedding is not None
    return head(h, embedding)


def head_size(outputs: Features, spatial: tuple[int, ...]) -> int:
    """Outputs of the head: per place where the layers have spatial axes, else of all places together."""
    return outputs.size if spatial else outputs.size * math.prod(outputs.spatial)


def split_outputs(ys: Array, outputs: Features, spatial: tuple[int, ...]) -> Array:
    """The head's outputs as ``[..., *outputs.spatial, outputs.size]``; ``spatial`` as for :func:`head_size`."""
    return ys if spatial else ys.reshape(*ys.shape[:-1], *outputs.spatial, outputs.size)


def check_tied(inputs: Tokens | Features, outputs: Features) -> None:
    """Raise ``ValueError`` unless the outputs are logits over the input tokens."""
    if not isinstance(inputs, Tokens):
        raise ValueError(
            "model.tied_embeddings=true needs tokens as inputs, whose embedding the head shares, but this task's "
            "inputs are features: use model.tied_embeddings=false"
        )
    if outputs.spatial or outputs.size != inputs.size:
        size = " × ".join(map(str, (*outputs.spatial, outputs.size)))
        raise ValueError(
            f"model.tied_embeddings=true needs logits over the tokens that are read, but this task reads {inputs.size} "
            f"different tokens and has {size} outputs: use model.tied_embeddings=false"
        )
