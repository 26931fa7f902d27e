"""Attention of a decoder over the outputs of an encoder."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float

from lstmlab.arrays import Key
from lstmlab.cells.maps import LinearMap, make_map

ATTENTIONS = ("none", "dot", "general", "additive")


class Attention(nnx.Module):
    r"""The decoder's output, joined with a mean of the memory that is weighted by how well each position fits.

    .. math::
        e_{ts} &= h_t^\top m_s               && \text{dot} \\
        e_{ts} &= h_t^\top W_k m_s           && \text{general} \\
        e_{ts} &= v^\top \tanh(W_q h_t + W_k m_s)   && \text{additive} \\
        a_{t} &= \text{softmax}_s(e_{t}) \quad \text{over the valid positions} \\
        \tilde h_t &= \tanh(W_c [\textstyle\sum_s a_{ts} m_s; h_t])

    Luong, Pham & Manning 2015, arXiv:1508.04025, global attention (``additive`` is the score of Bahdanau, Cho & Bengio
    2015, arXiv:1409.0473), without feeding :math:`\tilde h` back into the recurrence: under teacher forcing the decoder
    then runs over all targets in one call of its backend. Only :math:`W_c` has a bias.

    Args:
        kind: ``dot``, ``general`` or ``additive``.
        query: features of h.
        memory: features of m.
        key: random key of the maps.
        dtype: compute dtype of the products.

    Raises:
        ValueError: ``dot`` with h and m of different sizes.
    """

    def __init__(self, kind: str, query: int, memory: int, *, key: Key, dtype: str | None) -> None:
        if kind == "dot" and query != memory:
            raise ValueError(
                f"model.attention=dot needs an encoder as wide as the decoder, but they have {memory} and {query} "
                "features: use model.attention=general or additive"
            )
        self.kind = kind
        keys = jax.random.split(key, 4)

        def linear(number: int, features: int, init: str = "lecun_normal", bias: bool = False) -> LinearMap:
            return make_map("dense", features, (query,), key=keys[number], init=init, bias=bias, dtype=dtype)

        self.keys = None if kind == "dot" else linear(0, memory)
        self.queries = linear(1, query) if kind == "additive" else None
        score = jax.random.normal(keys[2], (query,), jnp.float32) * query**-0.5
        self.score = nnx.Param(score) if kind == "additive" else None
        self.combine = linear(3, memory + query, "glorot_uniform", bias=True)

    def __call__(
        self,
        h: Float[Array, "target batch query"],
        memory: Float[Array, "source batch memory"],
        valid: Bool[Array, "source batch"],
    ) -> tuple[Float[Array, "target batch query"], Float[Array, "target batch source"]]:
        """:math:`\\tilde h`, and the weights a, which are 0 at positions that are not valid."""
        keys = memory if self.keys is None else self.keys(memory)
        if self.queries is None:
            scores = jnp.einsum("tbd,sbd->tbs", h, keys)
        else:
            joined = jnp.tanh(self.queries(h)[:, None] + keys[None])
            scores = jnp.einsum("tsbd,d->tbs", joined, jnp.asarray(self.score))
        mask = valid.T[None]
        # A finite floor: a row without valid positions gets weights of 0, not NaN.
        weights = jax.nn.softmax(jnp.where(mask, scores, -1e30), axis=-1) * mask
        context = jnp.einsum("tbs,sbm->tbm", weights, memory)
        return jnp.tanh(self.combine(jnp.concatenate([context, h], axis=-1))), weights
