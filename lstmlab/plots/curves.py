"""Curves: losses and metrics over steps, lengths or lead times."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from lstmlab.plots import style
from lstmlab.plots.cell_styles import Look, by_order
from lstmlab.plots.line_labels import LineLabel, label_lines

_DECADES = 100.0
"""ratio of the largest to the least value from which on a loss has a logarithmic axis"""


def curves(
    path: Path | str,
    series: Mapping[str, tuple[ArrayLike, ArrayLike]],
    *,
    x_label: str = "step",
    y_label: str = "",
    title: str = "",
    baselines: Mapping[str, float] | None = None,
    bands: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    looks: Mapping[str, Look] | None = None,
    marks: Mapping[str, float] | None = None,
    log_y: bool = False,
) -> None:
    """Write a PNG of one line per entry of ``series``: name → (xs ``[n]``, ys ``[n]``).

    Non-finite values are gaps, and a cross marks where a line stops early. With ``log_y`` values that are not
    positive are gaps too, and bands end at half of the least value. Raises ``ValueError`` when xs and ys differ in
    length.

    Args:
        baselines: name → value, drawn as dashed horizontal lines.
        bands: name of a line → (lows ``[n]``, highs ``[n]``), shaded around it.
        looks: name of a line → its colour and dashes; None: by order. Grey lines are thin and lie behind the others.
        marks: name → x, drawn as dotted vertical lines, named on top.
    """
    figure, axes = style.figure_with_axes(title, x_label, y_label)
    if log_y:
        axes.set_yscale("log")
    labels = []
    lowest = min((float(y[y > 0].min()) for _, ys in series.values() if ((y := _finite(ys)) > 0).any()), default=1.0)
    looks = looks or by_order(series)
    for name, (xs, ys) in series.items():
        x, y = _points(name, xs, ys)
        if log_y:
            y = np.where(y > 0, y, np.nan)
        colour, dash = looks[name].colour, looks[name].dash
        behind = colour == style.FAINT
        width, height = (0.9, 1.5) if behind else (1.6, 2.0)
        axes.plot(x, y, color=colour, linestyle=dash, linewidth=width, zorder=height, solid_capstyle="round")
        if bands and name in bands and not behind:
            low, high = bands[name]
            if log_y:
                low, high = (np.fmax(np.asarray(edge, float), 0.5 * lowest) for edge in (low, high))
            axes.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)
        labels.append(LineLabel(name, x, y, colour, dash))
    for name, value in (baselines or {}).items():
        axes.axhline(value, color=style.FAINT, linestyle=style.DASHED, linewidth=1.1, zorder=1)
        labels.append(LineLabel(name, np.full(1, np.nan), np.full(1, float(value)), style.FAINT))
    for name, x in (marks or {}).items():
        axes.axvline(x, color=style.FAINT, linestyle=style.DOTTED, linewidth=1.3, zorder=1)
        axes.annotate(
            name, (x, 1.01), xycoords=("data", "axes fraction"), color=style.FAINT, fontsize=8,
            horizontalalignment="center", verticalalignment="bottom", annotation_clip=False,
        )  # fmt: skip
    if marks:
        axes.set_title(title, loc="left", fontsize=12, color=style.INK, pad=18)
    if all(is_whole(xs) for xs, _ in series.values()):
        axes.locator_params(axis="x", integer=True)
    axes.margins(x=0)
    label_lines(axes, labels)
    style.save(figure, path)


def spans_decades(lines: Iterable[ArrayLike]) -> bool:
    """Whether the finite values of lines are positive and the largest is at least a hundred times the least."""
    values = np.concatenate([_finite(line) for line in lines] or [np.zeros(0)])
    return bool(len(values)) and values.min() > 0 and values.max() >= _DECADES * values.min()


def is_whole(xs: ArrayLike) -> bool:
    """Whether all numbers are whole, such as steps and lengths: an axis of them has whole numbers as ticks."""
    x = np.asarray(xs)
    return x.dtype.kind in "iuf" and bool(np.all(np.isfinite(x) & (x == np.round(x))))


def _finite(ys: ArrayLike) -> np.ndarray:
    y = np.atleast_1d(np.asarray(ys, float))
    return y[np.isfinite(y)]


def _points(name: str, xs: ArrayLike, ys: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.asarray(xs), np.asarray(ys, np.float64)
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError(f"'{name}': xs {x.shape} and ys {y.shape} need one length")
    return x, np.where(np.isfinite(y), y, np.nan)
