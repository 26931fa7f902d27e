"""Predicted frames beside the true ones."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from lstmlab.plots.images import frames_grid, to_pixels
from lstmlab.tasks.task import Plot


def plots(
    seen: Float[np.ndarray, "n past h w"], truth: Float[np.ndarray, "n future h w"],
    predicted: Float[np.ndarray, "n future h w"],
) -> list[Plot]:  # fmt: skip
    """A film of all sequences, truth beside prediction, and a grid of the first one; intensities lie in [0, 1]."""
    past, future = seen.shape[1], truth.shape[1]
    grid = {
        f"input 1-{past}": to_pixels(seen[0]),
        f"truth {past + 1}-{past + future}": to_pixels(truth[0]),
        "prediction": to_pixels(predicted[0]),
    }
    return [
        Plot("film", frames=to_pixels(film(seen, truth, predicted))),
        Plot("frames", picture=frames_grid(grid)),
    ]


def film(
    seen: Float[np.ndarray, "n past h w"], truth: Float[np.ndarray, "n future h w"],
    predicted: Float[np.ndarray, "n future h w"],
) -> Float[np.ndarray, "time height width"]:  # fmt: skip
    """Sequences with intensities in [0, 1] as one film, a row per sequence: the truth left, the prediction right.

    Borders are dark while frames are seen and white from the first predicted one. Small frames are enlarged by a whole
    factor.
    """
    left, right = (np.concatenate([seen, future], axis=1) for future in (truth, predicted))
    zoom = -(-128 // seen.shape[-1])
    panels = np.stack([left, right], axis=1).repeat(zoom, axis=-2).repeat(zoom, axis=-1)
    border = ((0, 0), (0, 0), (0, 0), (2, 2), (2, 2))
    framed = np.pad(panels, border, constant_values=np.nan)  # [n, 2, time, h, w]
    shade = np.where(np.arange(left.shape[1]) < seen.shape[1], 0.25, 1.0)[:, None, None]
    framed = np.where(np.isnan(framed), shade, framed).transpose(2, 0, 3, 1, 4)
    return framed.reshape(len(framed), framed.shape[1] * framed.shape[2], -1)
