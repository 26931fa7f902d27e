"""Slopes of recordings, and random changes of them that leave their class as it is."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray


def warp(rows: Any, time: float, bands: float, time_key: PRNGKeyArray, bands_key: PRNGKeyArray) -> Any:
    """``rows`` with ``frames [batch, time, features]`` and ``lengths [batch]`` changed: read at places that are
    stretched by factors 1 ± ``time`` and 1 ± ``bands``, drawn for every recording, with linear interpolation; nothing
    for factors of 0. What would lie behind the last frame of the array is cut off.
    """
    frames, lengths = rows["frames"], rows["lengths"]
    count, longest, size = frames.shape
    if time:
        factor = 1 + jax.random.uniform(time_key, (count,), minval=-time, maxval=time)
        places = jnp.minimum(jnp.arange(longest) * factor[:, None], lengths[:, None] - 1)
        frames = read_at(frames, places, 1)
        lengths = jnp.clip(jnp.floor((lengths - 1) / factor).astype(lengths.dtype) + 1, 1, longest)
    if bands:
        factor = 1 + jax.random.uniform(bands_key, (count, 1), minval=-bands, maxval=bands)
        frames = read_at(frames, jnp.minimum(jnp.arange(size) * factor, size - 1), 2)
    return {**rows, "frames": frames, "lengths": lengths}


def read_at(frames: Array, places: Float[Array, "batch places"], axis: int) -> Float[Array, "batch time features"]:
    """Values between the entries of an axis, linearly interpolated."""
    frames = frames.astype(jnp.float32)
    below = jnp.floor(places).astype(jnp.int32)
    above = jnp.minimum(below + 1, frames.shape[axis] - 1)
    share = jnp.expand_dims(places - below, 3 - axis)

    def at(index: Array) -> Array:
        return jnp.take_along_axis(frames, jnp.expand_dims(index, 3 - axis), axis)

    return (1 - share) * at(below) + share * at(above)


def mask(inputs: Float[Array, "batch time features"], axis: int, most: int, key: PRNGKeyArray) -> Array:
    """Up to ``most`` neighbouring places of an axis set to 0, other ones in every row."""
    if not most:
        return inputs
    size = inputs.shape[axis]
    keys = jax.random.split(key)
    width = jax.random.randint(keys[0], (inputs.shape[0], 1), 0, most + 1)
    first = jax.random.randint(keys[1], (inputs.shape[0], 1), 0, size)
    places = jnp.arange(size)
    hidden = (places >= first) & (places < first + width)
    return jnp.where(jnp.expand_dims(hidden, 3 - axis), 0.0, inputs)


def slopes(frames: Float[Array, "batch time features"], reach: int = 2) -> Float[Array, "batch time features"]:
    """The slope of a line through 2 ``reach`` + 1 frames around each, by least squares; zeros lie beyond the array."""
    padded = jnp.pad(frames, ((0, 0), (reach, reach), (0, 0)))
    longest = frames.shape[1]

    def shifted(by: int) -> Array:
        return padded[:, reach + by : reach + by + longest]

    steps = range(1, reach + 1)
    rises = jnp.stack([k * (shifted(k) - shifted(-k)) for k in steps])
    return jnp.sum(rises, axis=0) / (2 * sum(k * k for k in steps))
