"""How much of a metric keys explain only together: what a forest adds to a model of the single keys."""

from __future__ import annotations

import numpy as np

FEWEST_RUNS = 10
_FOLDS, _TREES, _STUMPS = 5, 50, 200


def interactions_of(features: np.ndarray, targets: np.ndarray) -> float | None:
    """The share of the variance of ``targets`` ``[runs]`` that only interactions of ``features`` ``[runs, n]`` explain.

    A sum of functions of one feature each (boosted trees with one split) is fitted to four fifths of the runs, and a
    forest to what it leaves. The share is what the forest improves on the other fifth, over all fifths. Noise and the
    steps of trees improve nothing there, while the variance inside one forest has a part that looks like interactions
    even of a sum. With few runs it is rather too small. None below 10 runs.
    """
    # Here because scikit-learn is an extra.
    from sklearn.ensemble import ExtraTreesRegressor, GradientBoostingRegressor
    from sklearn.model_selection import KFold

    if len(targets) < FEWEST_RUNS:
        return None
    alone, together = np.zeros(2)
    for train, test in KFold(_FOLDS, shuffle=True, random_state=0).split(features):
        single = GradientBoostingRegressor(max_depth=1, n_estimators=_STUMPS, random_state=0)
        single.fit(features[train], targets[train])
        left = targets - single.predict(features)
        forest = ExtraTreesRegressor(_TREES, random_state=0).fit(features[train], left[train])
        alone += (left[test] ** 2).sum()
        together += ((left[test] - forest.predict(features[test])) ** 2).sum()
    total = ((targets - targets.mean()) ** 2).sum()
    return float(np.clip((alone - together) / total, 0.0, 1.0))


def one_hot(values: list[str]) -> np.ndarray:
    """Columns ``[runs, choices]`` of zeros and ones."""
    return (np.array(values)[:, None] == np.unique(values)).astype(float)
