"""The likelihood of chords and the share of keys that were foreseen."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from lstmlab.tasks.specs import Batch, Metrics
from lstmlab.tasks.task import cross_entropy, valid_steps


def independent_metrics(outputs: Float[Array, "batch time keys"], batch: Batch) -> Metrics:
    """Negative log-likelihood per chord of independent keys, in nats, and the frame-level accuracy."""
    counted = valid_steps(batch)
    nats = jnp.sum(jax.nn.softplus(outputs) - outputs * batch.targets, axis=-1)
    predicted, true = outputs > 0, batch.targets > 0.5
    both = jnp.sum(predicted & true, axis=-1)
    either = jnp.sum(predicted | true, axis=-1)
    return {
        "nll": (jnp.sum(nats * counted), jnp.sum(counted)),
        "accuracy": (jnp.sum(both * counted), jnp.sum(either * counted)),
    }


def joint_metrics(outputs: Float[Array, "batch time keys+1"], batch: Batch) -> Metrics:
    """Negative log-likelihood per chord of keys that are given one after the other, in nats, and the share of tokens
    that are the likeliest ones. Targets are tokens, and whether they count."""
    tokens, counts = batch.targets[..., 0], batch.targets[..., 1]
    counted = valid_steps(batch) * counts
    ends = counted * (tokens == outputs.shape[-1] - 1)
    right = jnp.argmax(outputs, axis=-1) == tokens
    return {
        "nll": (jnp.sum(cross_entropy(outputs, tokens) * counted), jnp.sum(ends)),
        "token_accuracy": (jnp.sum(right * counted), jnp.sum(counted)),
    }
