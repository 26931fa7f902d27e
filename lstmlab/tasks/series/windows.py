"""Windows of a series as batches: what a model reads, and what its forecasts are compared with."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from lstmlab.arrays import RowNumbers
from lstmlab.tasks.task import Batch

P = TypeVar("P")

LAST, SHIFT, SCALE, TRUTH = 0, 1, 2, 3
"""rows of the targets of :func:`forecast_windows`: last value seen, shift and scale of the window; truth from 3 on,
and after it, from :func:`with_level`, what a forecast starts from"""
SMALLEST_VARIANCE = 1e-5  # added to a window's variance, as RevIN does
SMALLEST_STD = SMALLEST_VARIANCE**0.5


def forecast_windows(
    rows: Float[Array, "batch rows features"],
    window: int,
    ahead: int,
    columns: int,
    targets: list[int],
    normalise: str,
) -> Batch:
    """Inputs ``[batch, window + ahead − 1, features]`` and targets ``[batch, 3 + horizon, target columns]``.

    Args:
        rows: the rows of the window and of the horizon: ``columns`` scaled values, then features of the calendar.
        window: how many rows are read.
        ahead: 1, or one more than the number of rows after the window whose calendar is read; their values are 0.
        columns: how many values a row has.
        targets: positions of the columns that are forecast.
        normalise: which shift and scale are taken out of the values of each window: ``last`` subtracts its last row
            (NLinear, Zeng et al. 2023), ``window`` subtracts its mean and divides by its standard deviation (RevIN
            without its affine map, Kim et al. 2022), ``none`` changes nothing.
    """
    values = rows[:, :window, :columns]
    shift, scale = _shift_and_scale(values, normalise)
    seen = jnp.concatenate([(values - shift) / scale, rows[:, :window, columns:]], axis=-1)
    calendar_ahead = rows[:, window : window + ahead - 1].at[..., :columns].set(0.0)
    compared = jnp.concatenate([values[:, -1:], shift, scale, rows[:, window:, :columns]], axis=1)
    return Batch(jnp.concatenate([seen, calendar_ahead], axis=1), compared[..., jnp.asarray(targets)])


def less_means(
    rows: Float[Array, "batch rows features"], means: Float[Array, "batch rows targets"], targets: list[int]
) -> Float[Array, "batch rows features"]:
    """The rows less the means of the target columns; ``means`` without a column change nothing."""
    return rows.at[..., jnp.asarray(targets)].add(-means) if means.shape[-1] else rows


def with_level(
    batch: Batch, level: Float[Array, "batch _ columns"], means: Float[Array, "batch rows _"], horizon: int
) -> Batch:
    """The batch with further rows of targets: for each row ahead what the network's forecast is added to.

    Args:
        batch: of :func:`forecast_windows`, made from rows less their means.
        level: of the rows ahead, ``[batch, horizon, columns]``; or of one row, the same for all.
        means: of the rows of the window and ahead, which are added to the last value seen, to the truth and to the
            level; without a column where there are none.
        horizon: how many rows lie ahead.
    """
    last, rest, truth = jnp.split(batch.targets, (SHIFT, TRUTH), axis=1)
    level = jnp.broadcast_to(level, truth.shape)
    if means.shape[-1]:
        ahead = means[:, -horizon:]
        last, truth, level = last + means[:, -horizon - 1, None], truth + ahead, level + ahead
    return batch._replace(targets=jnp.concatenate([last, rest, truth, level], axis=1))


def _shift_and_scale(values: Float[Array, "batch window columns"], normalise: str) -> tuple[Array, Array]:
    """Of each window, ``[batch, 1, columns]`` both."""
    last = values[:, -1:]
    if normalise == "window":
        variance = values.var(axis=1, keepdims=True)
        # Far from 0 a window that does not change still has a variance, of rounding; it must not be divided by.
        rounding = 16 * jnp.finfo(values.dtype).eps * jnp.abs(values).max(axis=1, keepdims=True)
        variance = jnp.where(variance > rounding**2, variance, 0.0)
        scale = jnp.where(variance > 0, jnp.sqrt(variance + SMALLEST_VARIANCE), jnp.maximum(SMALLEST_STD, rounding))
        return values.mean(axis=1, keepdims=True), scale
    return (last if normalise == "last" else jnp.zeros_like(last)), jnp.ones_like(last)


def change_windows(
    rows: Float[Array, "rows columns"], starts: RowNumbers, context: int, steps: int, horizon: int
) -> Batch:
    """Windows in which, after ``context − 1`` rows, every row is followed by a forecast of the changes to come.

    Args:
        rows: the series.
        starts: the rows at which the windows begin.
        context: rows that are read up to the first forecast, its own included.
        steps: rows from which forecasts are made.
        horizon: rows that each forecast covers.

    Returns:
        Inputs ``[batch, context + steps − 1, columns]`` and targets ``[batch, steps, 1 + horizon · columns]``: first 1
        where the forecast counts, or 0 where its rows lie beyond the end of the series; then the true differences
        between each of the next ``horizon`` rows and the row last read.
    """
    last = rows.shape[0] - 1
    read = starts[:, None] + jnp.arange(context + steps - 1)
    origins = read[:, context - 1 :]
    ahead = origins[..., None] + 1 + jnp.arange(horizon)
    counts = (ahead[..., -1] < rows.shape[0])[..., None]
    changes = rows[jnp.minimum(ahead, last)] - rows[jnp.minimum(origins, last)][:, :, None]
    changes = changes.reshape(*changes.shape[:2], -1)
    return Batch(rows[jnp.minimum(read, last)], jnp.concatenate([counts, changes], axis=-1))


def windows_of_steps(
    inputs: Float[Array, "batch rows columns"], context: int
) -> Float[Array, "batch steps context columns"]:
    """For each row from the ``context``-th on, it and the rows before it: ``context`` rows in all."""
    steps = jnp.arange(inputs.shape[1] - context + 1)
    return inputs[:, steps[:, None] + jnp.arange(context)]


def in_chunks(predict: Callable[[np.ndarray], P], count: int, size: int) -> P:
    """What ``predict`` says of the rows 0 … ``count`` − 1, at most ``size`` at a time, as float64 NumPy arrays.

    The last chunk is filled up with rows from its beginning, so that one compiled program is enough.
    """
    parts = []
    for begin in range(0, count, size):
        rows = np.resize(np.arange(begin, min(begin + size, count)), min(size, count))
        parts.append(predict(rows))
    return jax.tree.map(lambda *arrays: np.concatenate(arrays).astype(np.float64)[:count], *parts)
