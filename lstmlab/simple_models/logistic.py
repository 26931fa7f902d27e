"""Many logistic regressions at once, one for each of several binary outputs."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

MOST_STEPS = 60  # of L-BFGS

Weights = Float[np.ndarray, "features+1 outputs"]


def fit_logistic(
    x: Float[np.ndarray, "examples features"], y: Float[np.ndarray, "examples outputs"], penalty: float,
    start: Weights | None = None,
) -> Weights:  # fmt: skip
    """Minimise the cross-entropy, summed over outputs and averaged over examples, plus ``penalty``/2 times the sum of
    squared weights. The last row of the weights is the intercept, which has no penalty; ``y`` holds 0 and 1."""
    x = _with_one(x)
    shape = (x.shape[1], y.shape[1])
    penalties = np.append(np.full(shape[0] - 1, penalty), 0.0)[:, None]

    def cost(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(shape)
        logits = x @ weights
        value = (np.logaddexp(0, logits) - y * logits).sum() / len(x) + 0.5 * (penalties * weights**2).sum()
        gradient = x.T @ (1 / (1 + np.exp(-logits)) - y) / len(x) + penalties * weights
        return float(value), gradient.ravel()

    from scipy.optimize import minimize  # here, since it takes a second to import, and few runs need it

    start = np.zeros(shape) if start is None else start
    return minimize(cost, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": MOST_STEPS}).x.reshape(shape)


def cross_entropy(
    weights: Weights, x: Float[np.ndarray, "examples features"], y: Float[np.ndarray, "examples outputs"]
) -> float:
    """Nats, summed over outputs and averaged over examples."""
    logits = _with_one(x) @ weights
    return float((np.logaddexp(0, logits) - y * logits).sum() / len(x))


def _with_one(x: np.ndarray) -> np.ndarray:
    return np.concatenate([x, np.ones((len(x), 1))], axis=1)
