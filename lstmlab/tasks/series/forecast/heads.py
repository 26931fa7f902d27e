r"""What a forecaster says of each value to come: a point, three quantiles, or a normal distribution.

With o the numbers that the model gives for one value, in the scale of its window:

* ``point``: ŷ = o₁; loss (y − ŷ)².
* ``gaussian``: N(o₁, σ²) with σ = softplus(o₂) + 10⁻³; loss the negative log-likelihood ½(y − o₁)²/σ² + ln σ + ½ ln 2π.
* ``quantile``: median o₁, lower o₁ − softplus(o₂), upper o₁ + softplus(o₃), which cannot cross; loss the mean over the
  three levels q of the pinball loss max(q(y − ŷ_q), (q − 1)(y − ŷ_q)) (Koenker & Bassett 1978).

Losses are taken in the scale of the split's data, so that windows weigh alike whatever their own scale is.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

SIZES = {"point": 1, "quantile": 3, "gaussian": 2}
SMALLEST_STD = 1e-3


class Said(NamedTuple):
    """A forecast ``[..., horizon, columns]``, with its interval where the distribution has one."""

    point: Array | np.ndarray
    lower: Array | np.ndarray | None = None
    upper: Array | np.ndarray | None = None
    std: Array | np.ndarray | None = None


def read_head(
    outputs: Float[Array, "*rest horizon columns numbers"],
    distribution: str,
    interval: float,
    shift: Array,
    scale: Array,
) -> Said:
    """The forecast in the scale of the data: shift + scale · o; ``interval`` is the probability that it should hold."""
    parts = [outputs[..., i] for i in range(SIZES[distribution])]
    point = shift + scale * parts[0]
    if distribution == "gaussian":
        std = scale * (jax.nn.softplus(parts[1]) + SMALLEST_STD)
        reach = NormalDist().inv_cdf(0.5 + interval / 2) * std
        return Said(point, point - reach, point + reach, std)
    if distribution == "quantile":
        below, above = (scale * jax.nn.softplus(part) for part in parts[1:])
        return Said(point, point - below, point + above)
    return Said(point)


def head_loss(said: Said, truth: Array, distribution: str, interval: float) -> Array:
    """The loss of each value."""
    error = truth - said.point
    if said.std is not None:
        return 0.5 * (error / said.std) ** 2 + jnp.log(said.std) + 0.5 * jnp.log(2 * jnp.pi)
    if distribution == "quantile":
        return pinball(said, truth, interval)
    return error**2


def pinball(said: Said, truth: Array, interval: float) -> Array:
    """Mean pinball loss over the lower bound, the point (as the median) and the upper bound of each value."""
    assert said.lower is not None and said.upper is not None
    levels = ((0.5 - interval / 2, said.lower), (0.5, said.point), (0.5 + interval / 2, said.upper))
    return jnp.mean(jnp.stack([jnp.maximum(q * (truth - v), (q - 1) * (truth - v)) for q, v in levels]), axis=0)
