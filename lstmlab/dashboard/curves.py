"""Curves of runs and of groups of runs, as the figures of reports take them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from lstmlab.dashboard.run import DIVERGED, FAILED, Run
from lstmlab.report.figures import Curve
from lstmlab.report.figures.thin import MOST_POINTS

SPEED = "time/steps_per_second"
LOW, HIGH = 0.1, 0.9
"""quantiles between which the band of a group lies"""
FEW = 10
"""runs below which the band is as wide as all of them"""

Series = tuple[np.ndarray, np.ndarray]


def in_seconds(series: Series, speeds: Series) -> Series:
    """The curve over seconds of training in place of steps; ``speeds`` are the logged steps per second."""
    steps, speed = speeds
    usable = np.isfinite(speed) & (speed > 0)
    steps, speed = steps[usable], speed[usable]
    if not len(steps):
        return np.zeros(0), np.zeros(0)
    seconds = np.cumsum(np.diff(steps, prepend=0.0) / speed)
    return np.interp(series[0], np.concatenate([[0.0], steps]), np.concatenate([[0.0], seconds])), series[1]


def group_curve(runs: Sequence[Run], series: Mapping[str, Series], *, single: bool) -> Curve:
    """Median and band of the runs of a group over those that have reached a step, with the single runs if wanted.

    ``series`` are the curves by the ``id`` of the run. Runs between whose rows a step lies are interpolated.
    """
    known = [(run, *series[run.id]) for run in runs if run.id in series and len(series[run.id][0])]
    if not known:
        return Curve(np.zeros(0), np.zeros(0))
    grid = _grid([xs for _, xs, _ in known])
    values = np.stack([_on_grid(grid, xs, ys) for _, xs, ys in known])
    reached = np.isfinite(values).any(0)
    grid, values = grid[reached], values[:, reached]
    if not len(grid):
        return Curve(np.zeros(0), np.zeros(0))
    low, middle, high = _quantiles(values, [LOW, 0.5, HIGH] if len(known) >= FEW else [0.0, 0.5, 1.0])
    lines, failed = {}, {}
    if single:
        for run, xs, ys in known:
            (failed if run.state in (DIVERGED, FAILED) else lines)[run.name] = (xs, ys)
    if len(known) < 2:
        return Curve(grid, middle, runs=lines, failed=failed)
    return Curve(grid, middle, low, high, runs=lines, failed=failed)


def _quantiles(values: np.ndarray, wanted: Sequence[float]) -> list[np.ndarray]:
    """Quantiles ``[n]`` over the first axis of ``values`` ``[runs, n]`` without its NaNs, of which no column is full.

    As ``np.nanquantile``, which takes half a second for a thousand runs, since it goes column by column.
    """
    ordered = np.sort(values, axis=0)  # NaNs come last
    last = np.isfinite(ordered).sum(0) - 1
    columns = np.arange(values.shape[1])
    result = []
    for share in wanted:
        place = share * last
        below = np.floor(place).astype(int)
        above = np.minimum(below + 1, last)
        result.append(ordered[below, columns] + (place - below) * (ordered[above, columns] - ordered[below, columns]))
    return result


def _grid(axes: Sequence[np.ndarray]) -> np.ndarray:
    """At most about 300 places, from the first to the last of any run; those of the longest run where it has them."""
    longest = max(axes, key=lambda xs: (xs[-1], len(xs)))
    first = min(float(xs[0]) for xs in axes)
    places = longest[np.unique(np.linspace(0, len(longest) - 1, MOST_POINTS).astype(int))]
    return np.concatenate([[first], places]) if first < places[0] else places


def _on_grid(grid: np.ndarray, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
    finite = np.isfinite(ys)
    if not finite.any():
        return np.full(len(grid), np.nan)
    values = np.interp(grid, xs[finite], ys[finite])
    # A run says nothing of steps before its first and after its last row, nor after it has diverged.
    values[(grid < xs[finite][0]) | (grid > xs[finite][-1])] = np.nan
    return values
