"""Errors of forecasts, and of their intervals."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Float
from numpy.typing import ArrayLike

from lstmlab.tasks.series.distributions import Prediction, pinball_loss, prediction_loss


def forecast_errors(
    prediction: Prediction,
    truth: Float[Array, "batch horizon columns"],
    last: Float[Array, "batch 1 columns"],
    scale: ArrayLike | None,
    distribution: str,
    interval: float,
) -> dict[str, Float[Array, "batch horizon columns"]]:
    """The measures of every value: errors of the point forecast, whether its direction is right (above the last value
    or not); of an interval whether the value lies inside (coverage) and its width.

    ``scale`` is the denominator of MASE for each column; without it there is no MASE.
    """
    error = jnp.abs(prediction.point - truth)
    right = (prediction.point > last) == (truth > last)
    values = {"mse": error**2, "mae": error, "direction_accuracy": right.astype(jnp.float32)}
    if scale is not None:
        values["mase"] = error / jnp.asarray(scale, jnp.float32)
    if prediction.lower is not None and prediction.upper is not None:
        inside = (prediction.lower <= truth) & (truth <= prediction.upper)
        values["coverage"] = inside.astype(jnp.float32)
        values["interval_width"] = jnp.asarray(prediction.upper - prediction.lower)
        values["pinball"] = pinball_loss(prediction, truth, interval)
    if prediction.std is not None:
        values["nll"] = prediction_loss(prediction, truth, distribution, interval)
    return values
