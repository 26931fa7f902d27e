"""Anomalies: a series with labelled windows and flagged rows, above its score and threshold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lstmlab.plots import style
from lstmlab.plots.style import COLOURS, DASHED, DOTTED, FAINT, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LABELLED, _FLAGGED = "#E69F00", "#D55E00"
_MAX_COLUMNS = 3
_LOG_FROM = 1e3
"""ratio of the largest score to the threshold above which the score has a logarithmic axis"""


def anomaly_plot(
    path: Path | str,
    values: np.ndarray,
    scores: np.ndarray,
    threshold: float,
    *,
    names: Sequence[str],
    times: np.ndarray | None = None,
    windows: Sequence[tuple[int, int]] | None = None,
    train_end: int = 0,
    rows: tuple[int, int] | None = None,
    title: str = "",
) -> None:
    """Write a PNG of ``values [n, columns]`` (the first three columns), and below of ``scores [n]`` (NaN: no score).

    Args:
        times: dates or seconds of the rows; None counts rows.
        windows: first row and end of each labelled anomaly, shaded in both; None: there are no labels.
        train_end: end of the training rows, marked by a vertical line.
        rows: first row and end of the part that is drawn; None: all.
    """
    first, end = rows or (0, len(values))
    x: Any = np.arange(len(values)) if times is None else times  # Matplotlib converts dates; its types do not say so
    columns = min(values.shape[1], _MAX_COLUMNS)
    figure = style.new_figure(9.0, 1.6 * columns + 3.0)
    panels: list[Axes] = list(np.ravel(figure.subplots(columns + 1, 1, sharex=True)))  # type: ignore[arg-type]
    flagged = np.nan_to_num(scores, nan=-np.inf) > threshold
    for column, axes in enumerate(panels[:-1]):
        axes.plot(x[first:end], values[first:end, column], color=INK, linewidth=0.9)
        marked = np.flatnonzero(flagged[first:end]) + first
        axes.plot(x[marked], values[marked, column], ".", color=_FLAGGED, markersize=4, zorder=3)
        axes.set_ylabel(names[column], fontsize=9, color=INK)
    panels[-1].plot(x[first:end], scores[first:end], color=COLOURS[0], linewidth=0.9)
    panels[-1].axhline(threshold, color=_FLAGGED, linestyle=DASHED, linewidth=1.1)
    panels[-1].set_ylabel("score", fontsize=9, color=INK)
    finite = scores[first:end][np.isfinite(scores[first:end])]
    if len(finite) and 0 < threshold < finite.max() / _LOG_FROM:
        panels[-1].set_yscale("log")
    split_shown = first < train_end < end
    for axes in panels:
        axes.margins(x=0)
        style.decorate(axes, label_size=8, grid="#EEEEEE", grid_width=0.6)
        for start, stop in windows or ():
            if start < end and stop > first:
                axes.axvspan(x[max(start, first)], x[min(stop, end) - 1], color=_LABELLED, alpha=0.25, linewidth=0)
        if split_shown:
            axes.axvline(x[train_end], color=FAINT, linestyle=DOTTED, linewidth=1.2)
    panels[-1].set_xlabel("row" if times is None else "time" if x.dtype.kind == "M" else "seconds", fontsize=9)
    panels[0].set_title(title, loc="left", fontsize=10, color=INK)
    _legend(panels[0], labelled=bool(windows), split=split_shown)
    style.save(figure, path)


def _legend(axes: Axes, *, labelled: bool, split: bool) -> None:
    """What the marks mean, above the first panel."""
    from matplotlib.artist import Artist
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Artist] = [Line2D([], [], color=_FLAGGED, marker=".", linestyle="", label="flagged")]
    handles.append(Line2D([], [], color=_FLAGGED, linestyle=DASHED, linewidth=1.1, label="threshold"))
    if labelled:
        handles.insert(0, Patch(color=_LABELLED, alpha=0.25, linewidth=0, label="labelled"))
    if split:
        handles.append(Line2D([], [], color=FAINT, linestyle=DOTTED, label="end of training part"))
    axes.legend(
        handles=handles, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=len(handles), fontsize=8, frameon=False,
        borderaxespad=0.1,
    )  # fmt: skip
