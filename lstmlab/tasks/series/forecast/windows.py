"""Windows of a series as batches: what a model reads, and what its forecast is compared with."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Float

from lstmlab.tasks.task import Batch

LAST, SHIFT, SCALE, TRUTH = 0, 1, 2, 3
"""rows of a batch's targets: the last value seen, shift and scale of the window, and from 3 on the truth"""
STEADY = 1e-5  # added to a window's variance, as RevIN does


def make_batch(
    rows: Float[Array, "batch rows features"], window: int, ahead: int, columns: int, told: list[int], normalise: str
) -> Batch:
    """Inputs ``[batch, window + ahead − 1, features]`` and targets ``[batch, 3 + horizon, columns forecast]``.

    Args:
        rows: the window and the horizon; ``columns`` scaled values, then the calendar.
        window: rows that are read.
        ahead: 1, or one more than the rows after the window whose calendar is read, with zeros for their values.
        columns: values in a row.
        told: positions of those that are forecast.
        normalise: what is taken out of each window, and kept as shift and scale: see ``task.normalise``.
    """
    values = rows[:, :window, :columns]
    shift, scale = _level(values, normalise)
    seen = jnp.concatenate([(values - shift) / scale, rows[:, :window, columns:]], axis=-1)
    known = rows[:, window : window + ahead - 1].at[..., :columns].set(0.0)
    targets = jnp.concatenate([values[:, -1:], shift, scale, rows[:, window:, :columns]], axis=1)
    return Batch(jnp.concatenate([seen, known], axis=1), targets[..., jnp.asarray(told)])


def _level(values: Float[Array, "batch window columns"], normalise: str) -> tuple[Array, Array]:
    """Shift and scale of each window, ``[batch, 1, columns]``."""
    last = values[:, -1:]
    if normalise == "window":
        return values.mean(axis=1, keepdims=True), jnp.sqrt(values.var(axis=1, keepdims=True) + STEADY)
    return (last if normalise == "last" else jnp.zeros_like(last)), jnp.ones_like(last)
