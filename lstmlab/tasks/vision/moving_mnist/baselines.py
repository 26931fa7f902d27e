"""Predictions of frames without a model: means, a blank frame, the last one seen, and a line through the last two."""

from __future__ import annotations

import functools
from collections.abc import Iterable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from lstmlab.tasks.task import Batch, Metrics, mean, weighted
from lstmlab.tasks.vision.frames import from_patches
from lstmlab.tasks.vision.ssim import ssim

_BEST_FIRST = {"mse": 1, "ssim": -1}


def baselines(train: Iterable[Batch], test: Iterable[Batch], patch: int) -> dict[str, dict[str, float]]:
    """``mse`` and ``ssim`` on the test batches, by name, best first.

    Batches hold patches of frames with intensities in [0, 1], ``[batch, time, y, x, f]``: ``inputs`` are the frames
    read, ``targets`` those to predict. The mean frame is that of the training batches' targets.
    """
    means = [_mean_frame(batch) for batch in train]
    mean_frame = functools.reduce(jnp.add, means) / len(means)
    totals: dict[str, Metrics] | None = None
    for batch in test:
        errors = _errors(batch, mean_frame, patch)
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


@functools.partial(jax.jit, static_argnums=2)
def _errors(batch: Batch, mean_frame: Float[Array, "y x f"], patch: int) -> dict[str, Metrics]:
    truth = from_patches(batch.targets, patch)
    last = batch.inputs[:, -1:]
    leads = jnp.arange(1, batch.targets.shape[1] + 1)[:, None, None, None]
    line = last + leads * (last - batch.inputs[:, -2:-1]) if batch.inputs.shape[1] > 1 else last
    predictions = {
        "mean frame": mean_frame, "blank": jnp.zeros(()), "last frame": last,
        "linear extrapolation": jnp.clip(line, 0, 1),
        "mean of the frames read": jnp.mean(batch.inputs, axis=1, keepdims=True),
    }  # fmt: skip
    errors = {}
    for name, prediction in predictions.items():
        frames = from_patches(jnp.broadcast_to(prediction, batch.targets.shape), patch)
        squares = jnp.sum((frames - truth) ** 2, axis=(2, 3))
        errors[name] = {"mse": weighted(squares, batch), "ssim": weighted(ssim(frames, truth), batch)}
    return errors
