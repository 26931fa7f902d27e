"""Baselines of classification that are fitted by scikit-learn, kept on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from lstmlab.data.remembered import remembered
from lstmlab.simple_models.classifiers import Labelled, logistic_regression, nearest_neighbours
from lstmlab.simple_models.scikit import has_scikit_learn, scikit_learn_version


def learned_classifiers(
    inputs: Iterable[Any], splits: Callable[[], Sequence[Labelled]], *, neighbours: bool = True
) -> dict[str, float]:
    """Test accuracies of logistic regression and, unless switched off, of k nearest neighbours, best first; nothing
    without scikit-learn.

    Args:
        inputs: everything on which the examples depend, see :func:`~lstmlab.data.remembered.remembered`.
        splits: makes the training, validation and test examples; not called when the accuracies are on disk.
        neighbours: whether to ask the nearest neighbours too.
    """
    if not has_scikit_learn():
        return {}

    def compute() -> dict[str, float]:
        from threadpoolctl import threadpool_limits

        train, validation, test = splits()
        with threadpool_limits(1):  # where other programs use the cores, threads that wait for each other take minutes
            found = {"logistic regression": logistic_regression(train, validation, test)}
            if neighbours:
                found["k nearest neighbours"] = nearest_neighbours(train, validation, test)
        return found

    values = remembered("classifiers-1", (*inputs, neighbours, scikit_learn_version()), compute)
    return dict(sorted(values.items(), key=lambda item: -item[1]))
