"""Importances of hyperparameters: a bar per name, and a small scatter of the metric against each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from lstmlab.plots import style
from lstmlab.plots.cell_styles import colour_of
from lstmlab.plots.style import COLOURS, INK

_COLUMNS = 3


def bars(path: Path | str, values: Mapping[str, tuple[float, float]], *, x_label: str = "", title: str = "") -> None:
    """Write a PNG of one horizontal bar per entry of ``values``, the first on top: name → (value, plus or minus)."""
    figure, axes = style.figure_with_axes(title, x_label, "", max(2.0, 1.2 + 0.32 * len(values)))
    lengths, errors = np.array([*values.values()], float).reshape(-1, 2).T
    axes.barh(range(len(values)), lengths, xerr=errors, color=COLOURS[0], height=0.66, ecolor=INK, capsize=2.5)
    axes.set_yticks(range(len(values)), list(values), color=INK)
    axes.set_ylim(len(values) - 0.5, -0.5)
    axes.set_xlim(left=0.0)
    style.save(figure, path)


def scatters(
    path: Path | str,
    columns: Mapping[str, Sequence[object]],
    ys: ArrayLike,
    *,
    log: Collection[str] = (),
    cells: Sequence[str] | None = None,
    y_label: str = "",
    title: str = "",
) -> None:
    """Write a PNG of one small scatter per entry of ``columns``: name → xs ``[n]``, against the same ``ys`` ``[n]``.

    Columns that are not all numbers are choices, side by side; those in ``log`` have a logarithmic axis. Dots have
    the colours of ``cells`` ``[n]``, if given. Raises ``ValueError`` when a column has another length.
    """
    y = np.asarray(ys, float)
    dots = [(np.ones(len(y), bool), COLOURS[0])]
    if cells is not None:
        dots = [(np.array(cells) == cell, colour_of(cell)) for cell in dict.fromkeys(cells)]
    rows = -(-len(columns) // _COLUMNS)
    figure = style.new_figure(style.WIDTH, 0.5 + 1.9 * rows)
    figure.suptitle(title, x=0.01, horizontalalignment="left", fontsize=12, color=INK)
    grid = figure.subplots(rows, _COLUMNS, sharey=True, squeeze=False)
    for axes, (name, xs) in zip(grid.flat, columns.items(), strict=False):
        if len(xs) != len(y):
            raise ValueError(f"'{name}' has {len(xs)} values for {len(y)}")
        numeric = all(isinstance(x, (int, float)) and not isinstance(x, bool) for x in xs)
        choices = [] if numeric else sorted(set(map(str, xs)))
        x = np.array(xs if numeric else [choices.index(str(x)) for x in xs], float)
        for own, colour in dots:
            axes.plot(x[own], y[own], ".", color=colour, alpha=0.5)
        if name in log:
            axes.set_xscale("log")
        if choices:
            axes.set_xticks(range(len(choices)), choices, rotation=25, horizontalalignment="right")
            axes.margins(x=0.2)
        axes.set_xlabel(name, fontsize=9, color=INK)
        style.decorate(axes, label_size=8)
    for axes in grid.flat[len(columns) :]:
        axes.set_visible(False)
    for axes in grid[:, 0]:
        axes.set_ylabel(y_label, fontsize=9, color=INK)
    style.save(figure, path)
