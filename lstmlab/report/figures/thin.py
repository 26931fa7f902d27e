"""Long curves with few points."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

MOST_POINTS = 300


def kept(ys: ArrayLike, most: int = MOST_POINTS) -> np.ndarray:
    """The indices of at most about ``most`` points of ``ys`` ``[n]`` that look like the whole curve.

    Of every stretch the lowest and the highest point are kept, so that no spike is lost, and the first and last point.
    Values that are not finite are gaps: the first of each stretch is kept.
    """
    y = np.asarray(ys, float)
    if len(y) <= most:
        return np.arange(len(y))
    chosen = {0, len(y) - 1}
    for part in np.array_split(np.arange(len(y)), max(1, most // 2 - 1)):
        finite = np.isfinite(y[part])
        if not finite.all():
            chosen.add(int(part[np.argmin(finite)]))
        if finite.any():
            own = part[finite]
            chosen |= {int(own[np.argmin(y[own])]), int(own[np.argmax(y[own])])}
    return np.array(sorted(chosen))
