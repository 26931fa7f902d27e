"""Confusion matrices."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lstmlab.plots import style
from lstmlab.plots.style import INK

_WHITE_TEXT_FROM = 0.6
"""share from which on a square is too dark for dark text"""


def confusion(path: Path | str, table: np.ndarray, names: Sequence[str], title: str = "") -> None:
    """Write a PNG of a confusion matrix of counts ``[true class, predicted class]``, each row as shares of its class.

    Shares of half a per cent and more are written out, in per cent. Raises ``ValueError`` unless the table is square
    with one name per class.
    """
    table = np.asarray(table, np.float64)
    if table.shape != (len(names), len(names)):
        raise ValueError(f"a confusion matrix of {len(names)} classes is not {table.shape}")
    totals = table.sum(axis=1, keepdims=True)
    shares = np.divide(table, totals, out=np.zeros_like(table), where=totals > 0)
    side = 1.8 + 0.48 * len(names)
    figure = style.new_figure(side, side)
    axes = figure.add_subplot()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in zip(*np.nonzero(shares >= 0.005), strict=True):
        share = shares[row, column]
        colour = "white" if share > _WHITE_TEXT_FROM else INK
        axes.text(column, row, f"{100 * share:.0f}", ha="center", va="center", fontsize=9, color=colour)
    axes.set_xticks(range(len(names)), names, fontsize=9, rotation=45, ha="right")
    rows = [f"{name} ({int(total)})" for name, total in zip(names, totals[:, 0], strict=True)]
    axes.set_yticks(range(len(names)), rows, fontsize=9)
    axes.set_xlabel("named by the model", fontsize=10, color=INK)
    axes.set_ylabel("true class (count)", fontsize=10, color=INK)
    axes.set_title(f"{title}, % of each true class" if title else "% of each true class", loc="left", fontsize=12)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    style.save(figure, path)
