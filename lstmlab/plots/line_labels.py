"""Names of lines, written where the lines end, in their colour, so that no legend covers data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lstmlab.plots.style import Dash

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GAP = 0.06
"""between two names, as a share of the height of the axes"""


@dataclass
class LineLabel:
    """A line whose name is written right of the axes, at the height of its last finite value."""

    name: str
    x: np.ndarray
    y: np.ndarray
    colour: str
    dash: Dash = "-"


def label_lines(axes: Axes, labels: Sequence[LineLabel]) -> None:
    """Write the names right of the axes, at the height where each line ends, moved apart where they would overlap.

    A cross marks where a line stops before the right end of the axes.
    """
    axes.autoscale_view()
    axes.set_ylim(axes.get_ylim())
    to_fraction = axes.transData + axes.transAxes.inverted()
    left, right = axes.get_xlim()
    axes.set_xlim(left, right)
    heights = []
    for label in labels:
        finite = label.y[np.isfinite(label.y)]
        height = to_fraction.transform((left, finite[-1]))[1] if len(finite) else 0.0
        heights.append(float(np.clip(height, 0.0, 1.0)))
    for label, height, place in zip(labels, heights, spread(heights), strict=True):
        finite = np.flatnonzero(np.isfinite(label.y))
        axes.annotate(
            label.name if len(finite) else f"{label.name} (no finite value)",
            xy=(1.0, height),
            xytext=(1.04, place),
            xycoords="axes fraction",
            textcoords="axes fraction",
            color=label.colour,
            fontsize=9,
            verticalalignment="center",
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": label.colour,
                "linewidth": 1.0 if len(finite) else 0.0,
                "linestyle": label.dash,
                "relpos": (0.0, 0.5),
                "shrinkA": 1.0,
                "shrinkB": 2.0,
            },
        )
        last = finite[-1] if len(finite) else -1
        if len(finite) and float(axes.convert_xunits(label.x[last])) < right:
            axes.plot(label.x[last], label.y[last], "x", color=label.colour, mew=1.8, zorder=4)


def spread(heights: Sequence[float], gap: float = _GAP) -> list[float]:
    """Heights in [0, 1], moved as little as possible to be at least ``gap`` apart, in the same order.

    Least squares; the gap is smaller where the names do not fit otherwise.
    """
    from scipy.optimize import isotonic_regression  # takes half a second, which only drawing needs to spend

    count = len(heights)
    if count == 0:
        return []
    gap = min(gap, 1.0 / max(count - 1, 1))
    order = np.argsort(heights, kind="stable")
    offsets = gap * np.arange(count)
    # Without the offsets "at least a gap above the one below" reads "not below it": isotonic regression.
    shifted = isotonic_regression(np.asarray(heights, float)[order] - offsets).x
    places = np.empty(count)
    places[order] = np.clip(shifted, 0.0, max(1.0 - gap * (count - 1), 0.0)) + offsets
    return places.tolist()
