"""A series with labelled windows and flagged rows, above its anomaly score and threshold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from lstmlab.plots.curves import COLOURS

_INK, _FAINT, _LABEL, _ALARM = "#333333", "#8A8A8A", "#E69F00", "#D55E00"
_MOST_COLUMNS = 3
_SEVERAL = 1e3  # from this ratio of the largest score to the threshold on, the axis is logarithmic


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
        times: of the rows, dates or seconds; None counts rows.
        windows: first row and end of labelled stretches, shaded in both; None: nothing is known.
        train_end: the rows before it are the training part, marked by a line.
        rows: first row and end of what is shown; None: all.
    """
    first, end = rows or (0, len(values))
    x: Any = np.arange(len(values)) if times is None else times
    shown = min(values.shape[1], _MOST_COLUMNS)
    figure = Figure(figsize=(9.0, 1.6 * shown + 3.0), layout="constrained")
    FigureCanvasAgg(figure)
    panels: list[Axes] = list(np.ravel(figure.subplots(shown + 1, 1, sharex=True)))  # type: ignore[arg-type]
    flagged = np.nan_to_num(scores, nan=-np.inf) > threshold
    for column, axes in enumerate(panels[:-1]):
        axes.plot(x[first:end], values[first:end, column], color=_INK, linewidth=0.9)
        marked = np.flatnonzero(flagged[first:end]) + first
        axes.plot(x[marked], values[marked, column], ".", color=_ALARM, markersize=4, zorder=3)
        axes.set_ylabel(names[column], fontsize=9, color=_INK)
    panels[-1].plot(x[first:end], scores[first:end], color=COLOURS[0], linewidth=0.9)
    panels[-1].axhline(threshold, color=_ALARM, linestyle=(0, (4, 3)), linewidth=1.1)
    panels[-1].set_ylabel("score", fontsize=9, color=_INK)
    part = scores[first:end][np.isfinite(scores[first:end])]
    if len(part) and 0 < threshold < part.max() / _SEVERAL:
        panels[-1].set_yscale("log")
    for axes in panels:
        _dress(axes)
        for start, stop in windows or ():
            if start < end and stop > first:
                axes.axvspan(x[max(start, first)], x[min(stop, end) - 1], color=_LABEL, alpha=0.25, linewidth=0)
        if first < train_end < end:
            axes.axvline(x[train_end], color=_FAINT, linestyle=(0, (1, 2)), linewidth=1.2)
    panels[-1].set_xlabel("row" if times is None else "time" if x.dtype.kind == "M" else "seconds", fontsize=9)
    _explain(panels[0], title, bool(windows), first < train_end < end)
    figure.savefig(Path(path), dpi=150, format="png")


def _dress(axes: Axes) -> None:
    axes.margins(x=0)
    axes.tick_params(labelsize=8, color=_FAINT, labelcolor=_INK)
    axes.grid(True, color="#EEEEEE", linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _explain(axes: Axes, title: str, labelled: bool, split: bool) -> None:
    """Title on the left; above the first panel what the marks mean."""
    axes.set_title(title, loc="left", fontsize=10, color=_INK)
    keys: list[Any] = [Line2D([], [], color=_ALARM, marker=".", linestyle="", label="flagged")]
    keys.append(Line2D([], [], color=_ALARM, linestyle=(0, (4, 3)), linewidth=1.1, label="threshold"))
    if labelled:
        keys.insert(0, Patch(color=_LABEL, alpha=0.25, linewidth=0, label="labelled"))
    if split:
        keys.append(Line2D([], [], color=_FAINT, linestyle=(0, (1, 2)), label="end of training part"))
    axes.legend(
        handles=keys, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=len(keys), fontsize=8, frameon=False,
        borderaxespad=0.1,
    )  # fmt: skip
