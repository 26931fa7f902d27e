"""Estimates with their intervals: a dot and a bar per name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from lstmlab.plots import style
from lstmlab.plots.cell_styles import Look, by_order
from lstmlab.plots.style import FAINT, INK


def intervals(
    path: Path | str,
    dots: Mapping[str, tuple[float | None, float | None, float | None]],
    *,
    x_label: str = "",
    title: str = "",
    baselines: Mapping[str, float] | None = None,
    looks: Mapping[str, Look] | None = None,
) -> None:
    """Write a PNG of one row per entry of ``dots``, the first on top: name → (value, low, high).

    Without low and high the dot stands alone. Where a value is None or not finite, the row says so and is empty.
    ``baselines`` are dashed vertical lines, named on top. ``looks`` are colours and markers by name; None: by order.
    """
    figure, axes = style.figure_with_axes(title, x_label, "", max(2.0, 1.3 + 0.36 * len(dots)))
    looks = looks or by_order(dots)
    for row, (name, (value, low, high)) in enumerate(dots.items()):
        if value is None or not np.isfinite(value):
            axes.annotate("no finite value", (0.01, row), xycoords=("axes fraction", "data"), color=FAINT, fontsize=9)
            continue
        colour = looks[name].colour
        if low is not None and high is not None:
            axes.plot([low, high], [row, row], color=colour, linewidth=2.4, alpha=0.55, solid_capstyle="butt")
        axes.plot(value, row, looks[name].marker, color=colour, markersize=6, label=name)
    for name, value in (baselines or {}).items():
        axes.axvline(value, color=FAINT, linestyle=style.DASHED, linewidth=1.1, zorder=1)
        axes.annotate(
            name, (value, 1.01), xycoords=("data", "axes fraction"), color=FAINT, fontsize=8,
            horizontalalignment="center", verticalalignment="bottom", annotation_clip=False,
        )  # fmt: skip
    axes.set_yticks(range(len(dots)), list(dots), color=INK)
    axes.set_ylim(len(dots) - 0.5, -0.5)
    axes.set_title(title, loc="left", fontsize=12, color=INK, pad=18 if baselines else 6)
    style.save(figure, path)
