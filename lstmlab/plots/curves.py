"""Curves: losses and metrics over steps, lengths or lead times."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from lstmlab.plots import style
from lstmlab.plots.line_labels import LineLabel, label_lines


def curves(
    path: Path | str,
    series: Mapping[str, tuple[ArrayLike, ArrayLike]],
    *,
    x_label: str = "step",
    y_label: str = "",
    title: str = "",
    baselines: Mapping[str, float] | None = None,
    bands: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    log_y: bool = False,
) -> None:
    """Write a PNG of one line per entry of ``series``: name → (xs ``[n]``, ys ``[n]``).

    Non-finite values are gaps, and a cross marks where a line stops early. With ``log_y`` values that are not
    positive are gaps too. Raises ``ValueError`` when xs and ys differ in length.

    Args:
        baselines: name → value, drawn as dashed horizontal lines.
        bands: name of a line → (lows ``[n]``, highs ``[n]``), shaded around it.
    """
    figure, axes = style.figure_with_axes(title, x_label, y_label)
    if log_y:
        axes.set_yscale("log")
    labels = []
    for index, (name, (xs, ys)) in enumerate(series.items()):
        x, y = _points(name, xs, ys)
        if log_y:
            y = np.where(y > 0, y, np.nan)
        colour, dash = style.line_style(index)
        axes.plot(x, y, color=colour, linestyle=dash, linewidth=1.6, solid_capstyle="round")
        if bands and name in bands:
            low, high = bands[name]
            axes.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)
        labels.append(LineLabel(name, x, y, colour, dash))
    for name, value in (baselines or {}).items():
        axes.axhline(value, color=style.FAINT, linestyle=style.DASHED, linewidth=1.1, zorder=1)
        labels.append(LineLabel(name, np.full(1, np.nan), np.full(1, float(value)), style.FAINT))
    axes.margins(x=0)
    label_lines(axes, labels)
    style.save(figure, path)


def _points(name: str, xs: ArrayLike, ys: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.asarray(xs), np.asarray(ys, np.float64)
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError(f"'{name}': xs {x.shape} and ys {y.shape} need one length")
    return x, np.where(np.isfinite(y), y, np.nan)
