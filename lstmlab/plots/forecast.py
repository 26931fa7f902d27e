"""A series and forecasts of its end."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from lstmlab.plots import style
from lstmlab.plots.cell_styles import by_order
from lstmlab.plots.line_labels import LineLabel, label_lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def forecast(
    path: Path | str,
    times: ArrayLike,
    truth: ArrayLike,
    predictions: Mapping[str, ArrayLike],
    *,
    x_label: str = "time",
    y_label: str = "",
    title: str = "",
    bands: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    horizon: int | None = None,
    truth_name: str = "truth",
) -> None:
    """Write a PNG of a series ``[n]`` and of forecasts of its end: name → ``[h]`` with h ≤ n.

    A forecast covers the last h of ``times`` (numbers or datetime64) and is drawn from the last true value before it;
    a vertical line marks where the longest one starts. Raises ``ValueError`` for other lengths.

    Args:
        bands: name of a forecast → (lows ``[h]``, highs ``[h]``), shaded around it.
        horizon: the predictions are several forecasts of ``horizon`` points each, one after the other, and each is
            drawn from the true value before it. None: they are one forecast.
    """
    figure, axes = style.figure_with_axes(title, x_label, y_label)
    x, y = np.asarray(times), np.asarray(truth, np.float64)
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError(f"times {x.shape} and truth {y.shape} need one length")
    if x.dtype.kind == "M":
        from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

        locator = AutoDateLocator(maxticks=8)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # long dates would overlap
    axes.plot(x, y, color=style.INK, linewidth=1.6, zorder=2)
    labels = [LineLabel(truth_name, x, y, style.INK)]
    starts = []
    looks = by_order(predictions)
    for name, values in predictions.items():
        predicted = np.asarray(values, np.float64)
        if predicted.ndim != 1 or not 0 < len(predicted) <= len(y):
            raise ValueError(f"forecast '{name}' has shape {predicted.shape}, truth {y.shape}")
        start = len(y) - len(predicted)
        starts.append(start)
        colour, dash = looks[name].colour, looks[name].dash
        _forecast_lines(axes, x, y, predicted, horizon or len(y), colour, dash)
        if bands and name in bands:
            low, high = bands[name]
            axes.fill_between(x[start:], low, high, color=colour, alpha=0.18, linewidth=0)
        labels.append(LineLabel(name, x[start:], predicted, colour, dash))
    if starts and min(starts) > 0:
        first: Any = x[min(starts) - 1]  # a number or a date: Matplotlib converts both
        axes.axvline(first, color=style.FAINT, linestyle=style.DOTTED, linewidth=1.1)
    axes.margins(x=0)
    label_lines(axes, labels)
    style.save(figure, path)


def _forecast_lines(
    axes: Axes, x: np.ndarray, y: np.ndarray, predicted: np.ndarray, horizon: int, colour: str, dash: style.Dash
) -> None:
    """A line per ``horizon`` points, from the true value before them."""
    start = len(y) - len(predicted)
    for begin in range(start, len(y), horizon):
        before = max(begin - 1, 0)
        values = np.concatenate([y[before:begin], predicted[begin - start :][:horizon]])
        axes.plot(x[before : begin + horizon], values, color=colour, linestyle=dash, linewidth=1.6, zorder=3)
