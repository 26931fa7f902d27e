"""Frames as patches, and the two forms of model that forecast frames."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Shaped

ARCHITECTURES = {"stepwise": "sequence", "encoder_forecaster": "encoder_forecaster"}
"""By form of forecast, the architecture that makes it: one stack of layers that reads blank frames in place of the
future, or a second stack for the future."""
FORECASTS = tuple(ARCHITECTURES)


def to_patches(frames: Shaped[Array, "*lead h w"], patch: int) -> Shaped[Array, "*lead y x f"]:
    """Space to depth: every ``patch × patch`` square becomes the features of one place."""
    *lead, height, width = frames.shape
    grid = frames.reshape(*lead, height // patch, patch, width // patch, patch)
    return jnp.moveaxis(grid, -3, -2).reshape(*lead, height // patch, width // patch, patch**2)


def from_patches(patches: Shaped[Array, "*lead y x f"], patch: int) -> Shaped[Array, "*lead h w"]:
    """Depth to space: the inverse of :func:`to_patches`."""
    *lead, rows, columns, _ = patches.shape
    grid = jnp.moveaxis(patches.reshape(*lead, rows, columns, patch, patch), -2, -3)
    return grid.reshape(*lead, rows * patch, columns * patch)
