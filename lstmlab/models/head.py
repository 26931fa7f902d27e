"""What turns the top layer's outputs into the model's: a dense map of its own, or the token embedding once more."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, PRNGKeyArray

from lstmlab.cells.maps import Dense, LinearMap, make_map
from lstmlab.tasks import Features, Tokens


class TiedHead(nnx.Module):
    r"""Logits by the similarity with the embeddings of the tokens (Press & Wolf 2017, arXiv:1608.05859; Inan,
    Khosravi & Socher 2017, arXiv:1611.01462).

    With the embedding :math:`E` of shape ``[tokens, width]`` and what the head reads :math:`h`:

    .. math:: y = h\,E^\top + b \quad\text{or, where $h$ has another width,}\quad y = (h P)\,E^\top + b

    The projection :math:`P` is learned and has no bias, as in an LSTM of 1024 units with embeddings of 400. The
    embedding is an argument and no part of the head: it is one parameter, counted, stored and updated once, and its
    gradient is the sum of what comes through the inputs and through the logits.

    Args:
        features: width of what the head reads.
        width: width of the embedding.
        tokens: size of the vocabulary.
        key: random key of the projection.
        dtype: compute dtype of the products.
    """

    bias: nnx.Param
    projection: LinearMap | None
    dtype: str | None

    def __init__(self, features: int, width: int, tokens: int, *, key: PRNGKeyArray, dtype: str | None) -> None:
        self.bias = nnx.Param(jnp.zeros(tokens))
        self.projection = (
            None
            if features == width
            else make_map("dense", features, (width,), key=key, init="lecun_normal", dtype=dtype)
        )
        self.dtype = dtype

    def __call__(self, h: Float[Array, "*batch features"], embedding: Any) -> Float[Array, "*batch tokens"]:
        """The equation above."""
        h = h if self.projection is None else self.projection(h)
        return Dense(jnp.asarray(embedding).T, jnp.asarray(self.bias), self.dtype)(h)

    def kernel(self, embedding: Any) -> Float[Array, "features tokens"]:
        """The one matrix, :math:`E^\\top` or :math:`P E^\\top`, with which a head of its own would do the same."""
        table = jnp.asarray(embedding).T
        return table if self.projection is None else jnp.asarray(self.projection.kernel) @ table


Head = LinearMap | TiedHead


def make_head(features: int, size: int, tied_to: int | None, *, key: PRNGKeyArray, dtype: str | None) -> Head:
    """The map from what the top layer shows to ``size`` outputs; ``tied_to`` is the width of the embedding that it
    shares, ``None`` for a matrix of its own."""
    if tied_to is None:
        return make_map("dense", features, (size,), key=key, init="glorot_uniform", bias=True, dtype=dtype)
    return TiedHead(features, tied_to, size, key=key, dtype=dtype)


def read_out(head: Head, h: Array, embedding: Any) -> Array:
    """The outputs; the embedding is used by a head that shares it."""
    return head(h, embedding) if isinstance(head, TiedHead) else head(h)


def check_tied(inputs: Tokens | Features, outputs: Features) -> None:
    """Raise ``ValueError`` unless the outputs are logits over the tokens that are read."""
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
