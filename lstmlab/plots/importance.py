"""What matters: a bar per name, and a small picture of the metric against each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from lstmlab.plots.curves import _FAINT, _INK, COLOURS, _figure, _save

_COLUMNS = 3


def bars(path: Path | str, values: Mapping[str, tuple[float, float]], *, x_label: str = "", title: str = "") -> None:
    """Write a PNG of one horizontal bar per entry of ``values``, the first on top: name → (value, plus or minus)."""
    figure, axes = _figure(title, x_label, "")
    figure.set_size_inches(7.2, max(2.0, 1.2 + 0.32 * len(values)))
    lengths, spreads = np.array([*values.values()], float).reshape(-1, 2).T
    axes.barh(range(len(values)), lengths, xerr=spreads, color=COLOURS[0], height=0.66, ecolor=_INK, capsize=2.5)
    axes.set_yticks(range(len(values)), list(values), color=_INK)
    axes.set_ylim(len(values) - 0.5, -0.5)
    axes.set_xlim(left=0.0)
    _save(figure, path)


def scatters(
    path: Path | str,
    columns: Mapping[str, Sequence[Any]],
    ys: ArrayLike,
    *,
    log: Collection[str] = (),
    y_label: str = "",
    title: str = "",
) -> None:
    """Write a PNG of one small scatter per entry of ``columns``: name → xs ``[n]``, against the same ``ys`` ``[n]``.

    Columns that are not all numbers are choices, side by side; those in ``log`` have a logarithmic axis. Raises
    ``ValueError`` when a column has another length.
    """
    y = np.asarray(ys, float)
    rows = -(-len(columns) // _COLUMNS)
    figure = Figure(figsize=(7.2, 0.5 + 1.9 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, x=0.01, horizontalalignment="left", fontsize=12, color=_INK)
    grid = figure.subplots(rows, _COLUMNS, sharey=True, squeeze=False)
    for axes, (name, xs) in zip(grid.flat, columns.items(), strict=False):
        if len(xs) != len(y):
            raise ValueError(f"'{name}' has {len(xs)} values for {len(y)}")
        numeric = all(isinstance(x, (int, float)) and not isinstance(x, bool) for x in xs)
        choices = [] if numeric else sorted(set(map(str, xs)))
        axes.plot(xs if numeric else [choices.index(str(x)) for x in xs], y, ".", color=COLOURS[0], alpha=0.5)
        if name in log:
            axes.set_xscale("log")
        if choices:
            axes.set_xticks(range(len(choices)), choices, rotation=25, horizontalalignment="right")
            axes.margins(x=0.2)
        axes.set_xlabel(name, fontsize=9, color=_INK)
        axes.tick_params(labelsize=8, color=_FAINT, labelcolor=_INK)
        axes.grid(True, color="#E6E6E6", linewidth=0.7)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    for axes in grid.flat[len(columns) :]:
        axes.set_visible(False)
    for axes in grid[:, 0]:
        axes.set_ylabel(y_label, fontsize=9, color=_INK)
    _save(figure, path)
