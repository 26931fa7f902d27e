"""What Moving MNIST's trivial predictors reach."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from lstmlab.tasks.task import Batch, Split, mean, weighted
from lstmlab.tasks.vision.frames import from_patches
from lstmlab.tasks.vision.ssim import ssim

if TYPE_CHECKING:
    from lstmlab.tasks.vision.moving_mnist.task import MovingMNIST


@functools.cache
def baselines(task: MovingMNIST) -> dict[str, dict[str, float]]:
    """``mse`` and ``ssim`` on the test split; the mean frame is that of as many training sequences. Best first."""
    data, size = task.data(), 50

    def batches(split: Split) -> Iterator[Batch]:
        draw = jax.jit(lambda images, index: task.eval_batch(images, split, index, size))
        return (draw(data[split], index) for index in range(task.eval_batches(split, size)))

    @jax.jit
    def brightness(batch: Batch) -> Array:
        return jnp.mean(batch.targets, axis=(0, 1))

    @jax.jit
    def errors(batch: Batch, mean_frame: Array) -> dict[str, dict[str, tuple[Array, Array]]]:
        truth = from_patches(batch.targets, task.patch)
        guesses = {"mean frame": mean_frame, "blank": jnp.zeros(()), "last frame": task.seen(batch)[:, -1:]}
        found = {}
        for name, guess in guesses.items():
            shown = from_patches(jnp.broadcast_to(guess, batch.targets.shape), task.patch)
            squares = jnp.sum((shown - truth) ** 2, axis=(2, 3))
            found[name] = {"mse": weighted(squares, batch), "ssim": weighted(ssim(shown, truth), batch)}
        return found

    def sum_up(totals: Iterable[Any]) -> Any:
        return functools.reduce(lambda a, b: jax.tree.map(jnp.add, a, b), totals)

    mean_frame = sum_up(map(brightness, batches("train"))) / task.eval_batches("train", size)
    sums = sum_up(errors(batch, mean_frame) for batch in batches("test"))
    values = {metric: {name: float(mean(pairs[metric])) for name, pairs in sums.items()} for metric in ("mse", "ssim")}
    best_first = {"mse": 1, "ssim": -1}
    return {m: dict(sorted(v.items(), key=lambda item: best_first[m] * item[1])) for m, v in values.items()}
