"""Predictions of frames without a network: means, a blank frame, the last one seen, a line through the last two, and a
linear map of a neighbourhood in these."""

from __future__ import annotations

import functools
from collections.abc import Iterable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from lstmlab.simple_models.ridge import ridge
from lstmlab.tasks.task import Batch, Metrics, mean, weighted
from lstmlab.tasks.vision.frames import from_patches
from lstmlab.tasks.vision.ssim import ssim

STRENGTH = 1e-4  # of the penalty, as a share of the inputs' mean square
_BEST_FIRST = {"mse": 1, "ssim": -1}


def baselines(train: Iterable[Batch], test: Iterable[Batch], patch: int) -> dict[str, dict[str, float]]:
    """``mse`` and ``ssim`` on the test batches, by name, best first.

    Batches hold patches of frames with intensities in [0, 1], ``[batch, time, y, x, f]``: ``inputs`` are the frames
    read, ``targets`` those to predict. The mean frame is that of the training batches' targets. ``ridge regression``
    predicts a patch of each frame from the same patch and its eight neighbours in the last two frames read, by one map
    for all places, fitted on the training batches; what lies beyond the frame is blank.
    """
    seen = list(train)
    means = [_mean_frame(batch) for batch in seen]
    mean_frame = functools.reduce(jnp.add, means) / len(means)
    examples = ((_flat(_neighbourhoods(batch)), _flat(jnp.moveaxis(batch.targets, 1, 3))) for batch in seen)
    (weights,) = ridge(examples, (STRENGTH,))
    totals: dict[str, Metrics] | None = None
    for batch in test:
        errors = _errors(batch, mean_frame, jnp.asarray(weights, jnp.float32), patch)
        totals = errors if totals is None else jax.tree.map(jnp.add, totals, errors)
    assert totals is not None
    found = {}
    for metric, sign in _BEST_FIRST.items():
        values = {name: float(mean(errors[metric])) for name, errors in totals.items()}
        found[metric] = dict(sorted(values.items(), key=lambda item, sign=sign: sign * item[1]))
    return found


@jax.jit
def _mean_frame(batch: Batch) -> Float[Array, "y x f"]:
    return jnp.mean(batch.targets, axis=(0, 1))


@jax.jit
def _neighbourhoods(batch: Batch) -> Float[Array, "batch y x inputs"]:
    """What the regression reads at each place."""
    frames = jnp.moveaxis(batch.inputs[:, -2:], 1, 3)
    frames = frames.reshape(*frames.shape[:3], -1)
    height, width = frames.shape[1:3]
    padded = jnp.pad(frames, ((0, 0), (1, 1), (1, 1), (0, 0)))
    shifted = [padded[:, y : y + height, x : x + width] for y in range(3) for x in range(3)]
    return jnp.concatenate(shifted, axis=-1)


def _flat(values: Float[Array, "batch y x *rest"]) -> Float[np.ndarray, "places numbers"]:
    """One row for each place."""
    return np.asarray(values, np.float64).reshape(values.shape[0] * values.shape[1] * values.shape[2], -1)


@functools.partial(jax.jit, static_argnums=3)
def _errors(
    batch: Batch, mean_frame: Float[Array, "y x f"], weights: Float[Array, "inputs+1 outputs"], patch: int
) -> dict[str, Metrics]:
    truth = from_patches(batch.targets, patch)
    last = batch.inputs[:, -1:]
    leads = jnp.arange(1, batch.targets.shape[1] + 1)[:, None, None, None]
    line = last + leads * (last - batch.inputs[:, -2:-1]) if batch.inputs.shape[1] > 1 else last
    regression = _neighbourhoods(batch) @ weights[:-1] + weights[-1]
    regression = regression.reshape(*regression.shape[:3], batch.targets.shape[1], -1)
    predictions = {
        "mean frame": mean_frame, "blank": jnp.zeros(()), "last frame": last,
        "ridge regression": jnp.clip(jnp.moveaxis(regression, 3, 1), 0, 1),
        "linear extrapolation": jnp.clip(line, 0, 1),
        "mean of the frames read": jnp.mean(batch.inputs, axis=1, keepdims=True),
    }  # fmt: skip
    errors = {}
    for name, prediction in predictions.items():
        frames = from_patches(jnp.broadcast_to(prediction, batch.targets.shape), patch)
        squares = jnp.sum((frames - truth) ** 2, axis=(2, 3))
        errors[name] = {"mse": weighted(squares, batch), "ssim": weighted(ssim(frames, truth), batch)}
    return errors
