"""Digits that move straight on in a box and bounce off its walls, drawn on the device."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, UInt8

from lstmlab.arrays import Key

STEP_LENGTH = 0.1
"""distance per frame, as a share of a digit's way across the box (as in the original generator)"""
_CHUNK = 500
"""images resized at once; it divides the sizes of all splits, so that one compiled program serves them"""


def draw_frames(
    images: UInt8[Array, "count d d"], key: Key, *, steps: int, digits: int, frame_size: int
) -> Float[Array, "time h w"]:
    """One sequence of ``steps`` frames with ``digits`` of the images, intensities in [0, 1].

    Where digits overlap, the brighter pixel is shown.
    """
    images_key, path_key = jax.random.split(key)
    selected = jax.random.randint(images_key, (digits,), 0, images.shape[0])
    room = frame_size - images.shape[1]
    corners = (room * bounce(path_key, steps, digits)).astype(jnp.int32)  # [time, digits, 2], whole pixels
    padded = jnp.pad(jnp.asarray(images)[selected], ((0, 0), (room, room), (room, room)))

    def render(image: Array, corner: Array) -> Array:
        return jax.lax.dynamic_slice(image, room - corner, (frame_size, frame_size))

    rendered = jax.vmap(jax.vmap(render), (None, 0))(padded, corners)
    return jnp.max(rendered, axis=1).astype(jnp.float32) / 255


def bounce(key: Key, steps: int, digits: int) -> Float[Array, "steps digits 2"]:
    """Positions in the unit square of points that move straight on and bounce off the walls.

    Start and direction are uniform, the distance per step is ``STEP_LENGTH``. As in the original
    generator a point that would cross a wall stops on it for that step, and the first frame is one
    step after the start.
    """
    start_key, direction_key = jax.random.split(key)
    start = jax.random.uniform(start_key, (digits, 2))
    angle = jax.random.uniform(direction_key, (digits,), maxval=2 * jnp.pi)
    velocity = STEP_LENGTH * jnp.stack([jnp.sin(angle), jnp.cos(angle)], axis=-1)

    def move(carry: tuple[Array, Array], _: None) -> tuple[tuple[Array, Array], Array]:
        position, velocity = carry
        position = position + velocity
        hit = (position <= 0) | (position >= 1)
        position = jnp.clip(position, 0, 1)
        return (position, jnp.where(hit, -velocity, velocity)), position

    return jax.lax.scan(move, (start, velocity), None, steps)[1]


def resize(images: UInt8[np.ndarray, "count h h"], size: int) -> UInt8[np.ndarray, "count size size"]:
    """Square images in another size, interpolated linearly."""
    if size == images.shape[1]:
        return images
    chunks = []
    for start in range(0, len(images), _CHUNK):
        chunk = images[start : start + _CHUNK].astype(np.float32)
        resized = jax.image.resize(chunk, (len(chunk), size, size), "linear")
        chunks.append(np.asarray(jnp.round(resized), np.uint8))
    return np.concatenate(chunks)
