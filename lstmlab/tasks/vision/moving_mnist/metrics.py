"""Errors of predicted frames."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from lstmlab.tasks.task import Batch, Metrics, weighted
from lstmlab.tasks.vision.frames import from_patches
from lstmlab.tasks.vision.ssim import ssim


def frame_metrics(logits: Float[Array, "batch time y x f"], batch: Batch, patch: int) -> Metrics:
    """Totals and weights of ``mse`` and ``bce`` (nats), both summed over pixels, of ``ssim``, and of ``bce_sequence``,
    summed over the predicted frames too.

    ``logits`` of intensities and ``batch.targets``, the true intensities in [0, 1], are patches of the frames.
    """
    truth = batch.targets
    predicted = jax.nn.sigmoid(logits)
    nats = jnp.sum(jax.nn.softplus(logits) - logits * truth, axis=(2, 3, 4))
    similarity = ssim(from_patches(predicted, patch), from_patches(truth, patch))
    return {
        "mse": weighted(jnp.sum((predicted - truth) ** 2, axis=(2, 3, 4)), batch),
        "ssim": weighted(similarity, batch),
        "bce": weighted(nats, batch),
        "bce_sequence": weighted(jnp.sum(nats, axis=1), batch),
    }
