"""What a model reads of a recording: normalised features, and their deltas."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Shaped

from lstmlab.arrays import Lengths
from lstmlab.tasks.speech.recordings import FeatureScale

NORMALISATIONS = ("recording", "level", "training", "none")


def valid_frames(lengths: Lengths, longest: int) -> Bool[Array, "batch time 1"]:
    """True at the frames of a recording, false at padding."""
    return (jnp.arange(longest) < lengths[:, None])[..., None]


def normalise(
    frames: Shaped[Array, "batch time features"], lengths: Lengths, method: str, training: FeatureScale
) -> Float[Array, "batch time features"]:
    """Features with mean 0 and variance 1 over what ``method`` names, 0 at padding.

    * ``recording``: each feature over the recording's valid frames;
    * ``level``: mean of each feature, variance averaged over the recording's features;
    * ``training``: each feature over the training split, whose mean and deviation are ``training``;
    * ``none``: features as they are.
    """
    frames = frames.astype(jnp.float32)
    valid = valid_frames(lengths, frames.shape[1])
    if method in ("recording", "level"):
        count = jnp.maximum(lengths, 1)[:, None, None]
        centred = frames - jnp.sum(frames * valid, axis=1, keepdims=True) / count
        variance = jnp.sum(jnp.square(centred) * valid, axis=1, keepdims=True) / count
        if method == "level":
            variance = jnp.mean(variance, axis=2, keepdims=True)
        frames = centred / jnp.sqrt(variance + 1e-6)
    elif method == "training":
        frames = (frames - training.mean) / training.deviation
    return frames * valid


def deltas(frames: Float[Array, "batch time features"], reach: int = 2) -> Float[Array, "batch time features"]:
    r"""The slope of each feature over time (Furui 1986), zeros being read before the first and after the last frame.

    .. math::
        d_t = \frac{\sum_{k=1}^{K} k\,(x_{t+k} - x_{t-k})}{2 \sum_{k=1}^{K} k^2}, \qquad K = \text{reach}

    This is the slope of the line through 2K + 1 frames by least squares.
    """
    padded = jnp.pad(frames, ((0, 0), (reach, reach), (0, 0)))
    longest = frames.shape[1]

    def shifted(by: int) -> Array:
        return padded[:, reach + by : reach + by + longest]

    steps = range(1, reach + 1)
    differences = jnp.stack([k * (shifted(k) - shifted(-k)) for k in steps])
    return jnp.sum(differences, axis=0) / (2 * sum(k * k for k in steps))


def append_deltas(
    inputs: Float[Array, "batch time features"], lengths: Lengths
) -> Float[Array, "batch time 3*features"]:
    """Features followed by their deltas and twice the deltas of those; all are 0 at padding."""
    valid = valid_frames(lengths, inputs.shape[1])
    first = deltas(inputs) * valid
    second = 2 * deltas(first) * valid
    return jnp.concatenate([inputs, first, second], axis=2)
