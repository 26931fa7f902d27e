"""Predicted frames beside the true ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np

from lstmlab.plots.images import frames_grid, to_pixels
from lstmlab.tasks.task import Plot, Predictor
from lstmlab.tasks.vision.frames import film, from_patches

if TYPE_CHECKING:
    from lstmlab.tasks.vision.moving_mnist.task import MovingMNIST


def plot(task: MovingMNIST, predictor: Predictor) -> list[Plot]:
    """A film of three test sequences, truth beside prediction, and one of them as a grid."""
    draw = jax.jit(task.eval_batch, static_argnums=(1, 3))
    batch = draw(task.data()["test"], "test", 0, 3)
    logits = jnp.asarray(predictor.predict(batch))[:, -task.target_frames :]
    patches = (task.seen(batch), batch.targets, jax.nn.sigmoid(logits))
    seen, truth, predicted = (np.asarray(from_patches(p, task.patch)) for p in patches)
    total = task.input_frames + task.target_frames
    grid = {
        f"input 1-{task.input_frames}": to_pixels(seen[0]),
        f"truth {task.input_frames + 1}-{total}": to_pixels(truth[0]),
        "prediction": to_pixels(predicted[0]),
    }
    return [
        Plot("film", frames=to_pixels(film(seen, truth, predicted))),
        Plot("frames", picture=frames_grid(grid)),
    ]
