r"""Forecasts of a value as a point, three quantiles or a normal distribution; and their losses.

With o the numbers that the model gives for one value, in the scale of its window:

* ``point``: ŷ = o₁; loss (y − ŷ)².
* ``gaussian``: N(o₁, σ²) with σ = softplus(o₂) + 10⁻³; loss the negative log-likelihood ½(y − o₁)²/σ² + ln σ + ½ ln 2π.
* ``quantile``: median o₁, lower o₁ − softplus(o₂), upper o₁ + softplus(o₃), which cannot cross; loss the mean over the
  three levels q of the pinball loss max(q(y − ŷ_q), (q − 1)(y − ŷ_q)) (Koenker & Bassett 1978).

Losses are taken in the scale of the data, so that every window has the same weight whatever its own scale is.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

OUTPUTS = {"point": 1, "quantile": 3, "gaussian": 2}
"""how many numbers the model gives for each value"""
SMALLEST_STD = 1e-3


class Prediction(NamedTuple):
    """A forecast ``[..., horizon, columns]``, with its interval where the distribution has one."""

    point: Array | np.ndarray
    lower: Array | np.ndarray | None = None
    upper: Array | np.ndarray | None = None
    std: Array | np.ndarray | None = None


def read_prediction(
    outputs: Float[Array, "*rest horizon columns numbers"],
    distribution: str,
    interval: float,
    shift: Array,
    scale: Array,
) -> Prediction:
    """The forecast in the scale of the data, shift + scale · o; ``interval`` is the probability of its interval."""
    numbers = [outputs[..., i] for i in range(OUTPUTS[distribution])]
    point = shift + scale * numbers[0]
    if distribution == "gaussian":
        std = scale * (jax.nn.softplus(numbers[1]) + SMALLEST_STD)
        reach = NormalDist().inv_cdf(0.5 + interval / 2) * std
        return Prediction(point, point - reach, point + reach, std)
    if distribution == "quantile":
        below, above = (scale * jax.nn.softplus(number) for number in numbers[1:])
        return Prediction(point, point - below, point + above)
    return Prediction(point)


def prediction_loss(prediction: Prediction, truth: Array, distribution: str, interval: float) -> Array:
    """The loss of each value, in the shape of ``truth``."""
    error = truth - prediction.point
    if prediction.std is not None:
        return 0.5 * (error / prediction.std) ** 2 + jnp.log(prediction.std) + 0.5 * jnp.log(2 * jnp.pi)
    if distribution == "quantile":
        return pinball_loss(prediction, truth, interval)
    return error**2


def pinball_loss(prediction: Prediction, truth: Array, interval: float) -> Array:
    """Mean pinball loss over the lower bound, the point (as the median) and the upper bound of each value."""
    assert prediction.lower is not None and prediction.upper is not None
    bounds = ((0.5 - interval / 2, prediction.lower), (0.5, prediction.point), (0.5 + interval / 2, prediction.upper))
    return jnp.mean(jnp.stack([jnp.maximum(q * (truth - v), (q - 1) * (truth - v)) for q, v in bounds]), axis=0)
