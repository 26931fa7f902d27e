"""From the final states of an encoder to the first states of a decoder."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from lstmlab.cells.state import State
from lstmlab.models.layer import LayerState, RecurrentLayer


def make_bridge(layer: RecurrentLayer) -> nnx.List[nnx.Param]:
    """The weights w of one layer's states, 0 at first: the mean of both directions."""
    fields = jax.tree.leaves(jax.eval_shape(lambda: layer.forward.initial_state(1)))
    return nnx.List([nnx.Param(jnp.zeros(field.shape[-1:], jnp.float32)) for field in fields])


def bridge_states(encoded: LayerState, initial: LayerState, weights: nnx.List[nnx.Param] | None) -> LayerState:
    """The decoder layer's first state from the encoder layer's final ones.

    With the weights w of a bidirectional encoder it is ``σ(w) ⊙ s_forward + (1 - σ(w)) ⊙ s_backward``. Fields of
    another shape than the decoder's start as ``initial``.
    """
    state = encoded[0] if weights is None else _mix(encoded[0], encoded[1], weights)
    return (jax.tree.map(lambda s, zero: s if s.shape == zero.shape else zero, state, initial[0]),)


def _mix(forward: State, backward: State, weights: nnx.List[nnx.Param]) -> State:
    fields, structure = jax.tree.flatten(forward)
    triples = zip(fields, jax.tree.leaves(backward), weights, strict=True)
    return jax.tree.unflatten(structure, [_weighted_mean(f, b, jnp.asarray(w)) for f, b, w in triples])


def _weighted_mean(
    forward: Float[Array, "batch features"], backward: Float[Array, "batch features"], weight: Float[Array, " features"]
) -> Float[Array, "batch features"]:
    if not jnp.issubdtype(forward.dtype, jnp.floating):
        return forward  # counters
    share = jax.nn.sigmoid(weight)
    return share * forward + (1 - share) * backward
