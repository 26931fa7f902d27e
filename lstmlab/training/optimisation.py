"""Diagnostics of optimisation: sizes of updates, and how much a gradient owes to the batch it is from.

They are computed at the last step before a row of metrics, from the gradients of the two halves of its batch, which
cost as much as one more step. Training is the same but for rounding: a program that also gives out its updates may be
fused otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, PyTree

from lstmlab.arrays import Key, Scalar
from lstmlab.config import Config, ConfigError

KEEP = 0.9
"""how much of the running means is kept at every row"""
SQUARED, VARIANCE = "optimisation/gradient_squared", "optimisation/gradient_variance"


class OptimisationLog(NamedTuple):
    """What one optimiser step says of the optimisation."""

    update_ratios: dict[str, Scalar]
    """norm of the update over norm of the weights, by the module that holds them, such as ``layers.0.forward.input``"""
    gradient_squared: Scalar
    """squared norm of the true gradient, an unbiased estimate: where noise prevails it may be negative"""
    gradient_variance: Scalar
    """trace of the covariance of the gradients of single sequences, an unbiased estimate"""


def check_halves(config: Config) -> None:
    """Raise ``ConfigError`` where ``tracking.optimisation`` is on and batches have no two halves on one device."""
    training = config.training
    if not config.tracking.optimisation:
        return
    if training.devices != 1 or training.distributed:
        raise ConfigError("tracking.optimisation=true needs training.devices=1 and training.distributed=false")
    if training.batch_size % 2:
        raise ConfigError(
            f"training.batch_size is {training.batch_size}, but must be even for tracking.optimisation=true, which "
            "compares the halves of a batch"
        )


def diagnose(
    gradient: Callable[[PyTree, Any, Any, Key], PyTree],
    model: PyTree,
    updates: PyTree,
    batch: PyTree,
    carry: PyTree,
    key: Key,
) -> OptimisationLog:
    """The diagnostics of a step whose ``updates`` are about to be added to the ``model``.

    McCandlish et al. 2018 (arXiv 1812.06162), appendix A.1, with the whole batch of B sequences and its halves: from
    the mean squared norm ``small`` of the gradients of the halves and that of their mean, ``big``, the squared norm
    of the true gradient is 2 big − small, and the trace of the covariance B (small − big).

    Args:
        gradient: of ``(model, batch, carry, key)``; the loss is a mean over sequences.
        batch, carry: arrays ``[batch, ...]``, with an even number of sequences.
    """

    def halved(array: Array) -> Array:
        return array.reshape(2, array.shape[0] // 2, *array.shape[1:])

    size = jax.tree.leaves(batch)[0].shape[0]
    halves = jax.tree.map(halved, (batch, carry))

    def of_half(rows: tuple[tuple[Any, Any], Key]) -> PyTree:
        (half, state), own_key = rows
        return gradient(model, half, state, own_key)

    # One after the other: the compiled gradient is there once, and no more memory is needed than for a step.
    found = jax.lax.map(of_half, (halves, jax.random.split(key)))
    small = _squared_norm(found) / 2
    big = _squared_norm(jax.tree.map(lambda leaf: leaf.mean(0), found))
    return OptimisationLog(update_ratios(model, updates), 2 * big - small, size * (small - big))


def update_ratios(model: PyTree, updates: PyTree) -> dict[str, Scalar]:
    """Norm of the updates over norm of the weights, by the module that holds them."""
    weights, changes = _by_module(model), _by_module(updates)
    return {name: optax.tree.norm(changes[name]) / optax.tree.norm(weights[name]) for name in weights}


class OptimisationRows:
    """The entries of rows of ``metrics.jsonl``, with the running means that the noise scale needs."""

    def __init__(self, clip_norm: float) -> None:
        self.clip_norm = clip_norm
        self._squared = self._variance = 0.0

    def row(self, log: OptimisationLog, gradient_norms: Float[np.ndarray, " steps"]) -> dict[str, float]:
        """The entries of one row; ``gradient_norms`` are those of all steps since the row before."""
        squared, variance = float(log.gradient_squared), float(log.gradient_variance)
        self._note(squared, variance)
        entries = {f"optimisation/update_ratio/{name}": float(ratio) for name, ratio in log.update_ratios.items()}
        entries |= {SQUARED: squared, VARIANCE: variance}
        # The estimates of one step are noisy, and their ratio is biased: it is taken of their means over rows.
        entries["optimisation/noise_scale"] = self._variance / self._squared if self._squared > 0 else math.inf
        if self.clip_norm:
            entries["optimisation/clip_rate"] = float(np.mean(gradient_norms > self.clip_norm))
        return entries

    def replay(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Take up the running means where these rows of a run that is resumed have left them."""
        for row in rows:
            if SQUARED in row:
                self._note(row[SQUARED], row[VARIANCE])

    def _note(self, squared: float, variance: float) -> None:
        self._squared = KEEP * self._squared + (1 - KEEP) * squared
        self._variance = KEEP * self._variance + (1 - KEEP) * variance


def _squared_norm(tree: PyTree) -> Scalar:
    return jnp.square(optax.tree.norm(tree))


def _by_module(tree: PyTree) -> dict[str, list[Array]]:
    found: dict[str, list[Array]] = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        name = jax.tree_util.keystr(path, simple=True, separator=".").removesuffix(".value")
        found.setdefault(name.rpartition(".")[0] or name, []).append(leaf)
    return found
