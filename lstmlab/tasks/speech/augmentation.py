"""Random changes of recordings in training that leave their class as it is: warping and masking of time and frequency.

Every change is drawn anew for each recording of a batch, and an amount of 0 returns the arrays as they are.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Shaped

from lstmlab.arrays import Key, Lengths


def time_warp(
    frames: Shaped[Array, "batch time features"], lengths: Lengths, amount: float, key: Key
) -> tuple[Shaped[Array, "batch time features"], Lengths]:
    """Recordings played faster or slower by a factor uniform in 1 ± ``amount``, and their new lengths.

    Frames are interpolated linearly; frames beyond the end of the array are cut off.
    """
    if not amount:
        return frames, lengths
    count, longest, _ = frames.shape
    speed = 1 + jax.random.uniform(key, (count,), minval=-amount, maxval=amount)
    positions = jnp.minimum(jnp.arange(longest) * speed[:, None], lengths[:, None] - 1)
    warped_lengths = jnp.clip(jnp.floor((lengths - 1) / speed).astype(lengths.dtype) + 1, 1, longest)
    return interpolate(frames, positions, 1), warped_lengths


def frequency_warp(
    frames: Shaped[Array, "batch time features"], amount: float, key: Key
) -> Shaped[Array, "batch time features"]:
    """Recordings whose frequency axis is scaled by a factor uniform in 1 ± ``amount``: vocal tract length perturbation
    (Jaitly & Hinton 2013, ICML workshop on deep learning for audio).
    """
    if not amount:
        return frames
    count, _, size = frames.shape
    scale = 1 + jax.random.uniform(key, (count, 1), minval=-amount, maxval=amount)
    return interpolate(frames, jnp.minimum(jnp.arange(size) * scale, size - 1), 2)


def time_mask(inputs: Float[Array, "batch time features"], most: int, key: Key) -> Float[Array, "batch time features"]:
    """Up to ``most`` consecutive frames of each recording set to 0 (SpecAugment, Park et al. 2019)."""
    return _mask(inputs, 1, most, key)


def frequency_mask(
    inputs: Float[Array, "batch time features"], most: int, key: Key
) -> Float[Array, "batch time features"]:
    """Up to ``most`` adjacent features of each recording set to 0 (SpecAugment, Park et al. 2019)."""
    return _mask(inputs, 2, most, key)


def interpolate(
    frames: Shaped[Array, "batch time features"], positions: Float[Array, "batch positions"], axis: int
) -> Float[Array, "batch time features"]:
    """Values at fractional positions along axis 1 or 2, interpolated linearly; they replace that axis."""
    frames = frames.astype(jnp.float32)
    below = jnp.floor(positions).astype(jnp.int32)
    above = jnp.minimum(below + 1, frames.shape[axis] - 1)
    fraction = jnp.expand_dims(positions - below, 3 - axis)

    def at(index: Array) -> Array:
        return jnp.take_along_axis(frames, jnp.expand_dims(index, 3 - axis), axis)

    return (1 - fraction) * at(below) + fraction * at(above)


def _mask(inputs: Array, axis: int, most: int, key: Key) -> Array:
    if not most:
        return inputs
    size = inputs.shape[axis]
    keys = jax.random.split(key)
    width = jax.random.randint(keys[0], (inputs.shape[0], 1), 0, most + 1)
    first = jax.random.randint(keys[1], (inputs.shape[0], 1), 0, size)
    index = jnp.arange(size)
    masked = (index >= first) & (index < first + width)
    return jnp.where(jnp.expand_dims(masked, 3 - axis), 0.0, inputs)
