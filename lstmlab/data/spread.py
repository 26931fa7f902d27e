"""Standard deviations that are not mistaken for rounding."""

from __future__ import annotations

import numpy as np

ROUNDINGS = 16
"""a spread of at most this many relative roundings of the largest value is none"""


def spread(values: np.ndarray) -> np.ndarray:
    """The standard deviation of each column over the rows, float64, and 0 where the values differ by rounding alone.

    ``values.std(axis=0)`` of a constant column is seldom 0, as the mean is rounded: it gives 3.6e-15 for 14.62, and
    dividing by that makes the smallest change huge. Here the first row is subtracted before; and a deviation of at
    most 16 ε · max|x| counts as none, with ε of the values' own type (2.2e-16 for float64, 1.2e-7 for float32).
    """
    wide = np.asarray(values, np.float64)
    deviation = (wide - wide[:1]).std(axis=0)
    return np.where(deviation > rounding(values), deviation, 0.0)


def spread_or_one(values: np.ndarray) -> np.ndarray:
    """The same to divide by: 1 for a column without a spread, which is then only shifted."""
    deviation = spread(values)
    return np.where(deviation > 0, deviation, 1.0)


def rounding(values: np.ndarray) -> np.ndarray:
    """For each column the largest deviation that rounding explains."""
    kind = values.dtype if np.issubdtype(values.dtype, np.floating) else np.dtype(np.float64)
    return ROUNDINGS * float(np.finfo(kind).eps) * np.abs(np.asarray(values, np.float64)).max(axis=0)
