"""Ridge regression from examples that come in parts, its strength chosen on a validation split."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float

Parts = Iterable[tuple[Float[np.ndarray, "examples features"], Float[np.ndarray, "examples outputs"]]]
Weights = Float[np.ndarray, "features+1 outputs"]


def ridge(parts: Parts, strengths: Sequence[float]) -> list[Weights]:
    """Least squares with an intercept, from all parts together, once for each strength.

    The penalty on the squared weights is the strength times the mean diagonal of the normal equations; the intercept,
    the last row of the weights, has none. Raises ``ValueError`` when there is no example.
    """
    gram = cross = None
    for x, y in parts:
        x = _with_one(x)
        gram = x.T @ x + (0 if gram is None else gram)
        cross = x.T @ y + (0 if cross is None else cross)
    if gram is None or cross is None:
        raise ValueError("a regression needs at least one example")
    penalty = np.trace(gram) / len(gram) * np.append(np.ones(len(gram) - 1), 0.0)
    return [np.linalg.solve(gram + np.diag(strength * penalty), cross) for strength in strengths]


def predict(weights: Weights, x: Float[np.ndarray, "examples features"]) -> Float[np.ndarray, "examples outputs"]:
    """What a regression says of examples."""
    return x @ weights[:-1] + weights[-1]


def best_ridge(train: Parts, validation: Parts, strengths: Sequence[float]) -> Weights:
    """The weights with the least squared error on validation; of equal ones, those of the first strength."""
    models = ridge(train, strengths)
    errors = np.zeros(len(models))
    for x, y in validation:
        errors += [((predict(weights, x) - y) ** 2).sum() for weights in models]
    return models[int(np.argmin(errors))]


def _with_one(x: np.ndarray) -> np.ndarray:
    return np.concatenate([x, np.ones((len(x), 1))], axis=1)
