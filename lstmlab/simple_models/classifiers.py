"""Logistic regression and nearest neighbours (scikit-learn), their settings chosen on a validation split.

scikit-learn is imported where it is used, as it is optional and takes seconds to import.
"""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int

PENALTIES = (0.01, 0.1, 1.0, 10.0)
"""scikit-learn's C: the weight of the data against the squared weights"""
NEIGHBOURS = (1, 3, 5, 9, 15)
MOST_STEPS = 200  # of L-BFGS


class Labelled(NamedTuple):
    """Examples of classes."""

    features: Any
    """``[examples, features]``, a NumPy array or a sparse matrix of SciPy"""
    labels: Int[np.ndarray, " examples"]


def logistic_regression(train: Labelled, validation: Labelled, test: Labelled) -> float:
    """Test accuracy of multinomial logistic regression with the penalty that is best on validation."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    model, best = LogisticRegression(max_iter=MOST_STEPS, warm_start=True), (-1.0, 0.0)
    for penalty in PENALTIES:  # each starts from the one before
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # stopping early is a penalty of its own
            model.set_params(C=penalty).fit(*train)
        scores = float(model.score(*validation)), float(model.score(*test))
        best = max(best, scores, key=lambda pair: pair[0])
    return best[1]


def nearest_neighbours(train: Labelled, validation: Labelled, test: Labelled) -> float:
    """Test accuracy of the commonest class among the k nearest training examples, k as it is best on validation."""
    from sklearn.neighbors import KNeighborsClassifier

    counts = [k for k in NEIGHBOURS if k <= len(train.labels)]
    models = [KNeighborsClassifier(k).fit(*train) for k in counts]
    return float(max(models, key=lambda model: model.score(*validation)).score(*test))


def standardised(train: Labelled, *others: Labelled) -> list[Labelled]:
    """All splits with the mean and deviation of the training split taken out of each feature."""
    mean, deviation = train.features.mean(axis=0), train.features.std(axis=0)
    scale = np.where(deviation > 0, deviation, 1.0)
    return [part._replace(features=(part.features - mean) / scale) for part in (train, *others)]
