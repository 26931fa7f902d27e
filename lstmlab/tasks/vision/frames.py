"""Frames of Moving MNIST: digits, their paths, patches, and films of them."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from lstmlab.tasks.vision.digits import load_digits, load_mnist

FORECASTS = ("stepwise", "encoder_forecaster")
"""one stack of layers that reads blanks where the future is, or a second stack for the future"""
IMAGES = ("embedded", "mnist")
SPLITS = {"train": (0, 4000), "validation": (4000, 4500), "test": (4500, 5000)}
"""of the embedded digits"""
MNIST_VALIDATION = 5000
"""the last of MNIST's 60 000 training digits"""

STEP_LENGTH = 0.1
"""distance per frame, as a share of a digit's way across the box (the original generator's)"""


def bounce(key: PRNGKeyArray, steps: int, digits: int) -> Float[Array, "steps digits 2"]:
    """Places in the unit square of points that move straight on and bounce off the walls.

    Start and direction are uniform, the distance per step is ``STEP_LENGTH``. As in the original
    generator a point that would cross a wall stops on it for that step, and the first frame is one
    step after the start.
    """
    k_start, k_direction = jax.random.split(key)
    start = jax.random.uniform(k_start, (digits, 2))
    angle = jax.random.uniform(k_direction, (digits,), maxval=2 * jnp.pi)
    velocity = STEP_LENGTH * jnp.stack([jnp.sin(angle), jnp.cos(angle)], axis=-1)

    def move(carry: tuple[Array, Array], _: None) -> tuple[tuple[Array, Array], Array]:
        place, velocity = carry
        place = place + velocity
        hit = (place <= 0) | (place >= 1)
        place = jnp.clip(place, 0, 1)
        return (place, jnp.where(hit, -velocity, velocity)), place

    return jax.lax.scan(move, (start, velocity), None, steps)[1]


def to_patches(frames: Float[Array, "*lead h w"], patch: int) -> Float[Array, "*lead y x f"]:
    """Space to depth: every ``patch × patch`` square becomes the features of one place."""
    *lead, height, width = frames.shape
    grid = frames.reshape(*lead, height // patch, patch, width // patch, patch)
    return jnp.moveaxis(grid, -3, -2).reshape(*lead, height // patch, width // patch, patch**2)


def from_patches(patches: Float[Array, "*lead y x f"], patch: int) -> Float[Array, "*lead h w"]:
    """Depth to space: undoes :func:`to_patches`."""
    *lead, rows, columns, _ = patches.shape
    grid = jnp.moveaxis(patches.reshape(*lead, rows, columns, patch, patch), -2, -3)
    return grid.reshape(*lead, rows * patch, columns * patch)


def film(seen: np.ndarray, truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Sequences ``[n, time, h, w]`` in [0, 1] as one film ``[time, height, width]``.

    A row per sequence: what happens on the left, what the model predicts on the right. The borders
    light up when the prediction starts.
    """
    left, right = (np.concatenate([seen, future], axis=1) for future in (truth, predicted))
    zoom = -(-128 // seen.shape[-1])
    panels = np.stack([left, right], axis=1).repeat(zoom, axis=-2).repeat(zoom, axis=-1)
    border = ((0, 0), (0, 0), (0, 0), (2, 2), (2, 2))
    framed = np.pad(panels, border, constant_values=np.nan)  # [n, 2, time, h, w]
    light = np.where(np.arange(left.shape[1]) < seen.shape[1], 0.25, 1.0)[:, None, None]
    framed = np.where(np.isnan(framed), light, framed).transpose(2, 0, 3, 1, 4)
    return framed.reshape(len(framed), framed.shape[1] * framed.shape[2], -1)


def digits_of(images: str, size: int, data_dir: str | None = None) -> dict[str, np.ndarray]:
    """Digits per split, uint8 ``[count, size, size]``; raises ``DataError`` when they cannot be had."""
    if images == "embedded":
        whole = _scaled_embedded(size)
        return {split: whole[first:end] for split, (first, end) in SPLITS.items()}
    train, test = load_mnist(data_dir)
    splits = {"train": train.images[:-MNIST_VALIDATION], "validation": train.images[-MNIST_VALIDATION:]}
    return {split: scaled(digits, size) for split, digits in (splits | {"test": test.images}).items()}


@functools.cache
def _scaled_embedded(size: int) -> np.ndarray:
    return scaled(load_digits().images, size)


def scaled(images: np.ndarray, size: int) -> np.ndarray:
    """Digits ``[count, 28, 28]`` as uint8 ``[count, size, size]``."""
    if size == images.shape[1]:
        return images
    resized = jax.image.resize(images.astype(np.float32), (len(images), size, size), "linear")
    return np.asarray(jnp.round(resized), np.uint8)
