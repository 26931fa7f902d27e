"""Several small charts of lines in one figure, which share the names and colours of their lines."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from lstmlab.plots import style
from lstmlab.plots.cell_styles import Look, by_order
from lstmlab.plots.curves import is_whole
from lstmlab.plots.style import INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLUMNS = 3
_SIZE = (3.9, 2.9)
"""of one chart, in inches"""


@dataclasses.dataclass(frozen=True)
class Line:
    """A line; with ``low`` and ``high`` a band around it."""

    xs: ArrayLike
    ys: ArrayLike
    low: ArrayLike | None = None
    high: ArrayLike | None = None


@dataclasses.dataclass(frozen=True)
class Panel:
    """One chart. Values that are not finite are gaps; on a log axis those that are not positive too."""

    title: str
    x_label: str
    y_label: str
    lines: Mapping[str, Line]
    log_x: bool = False
    log_y: bool = False
    share: bool = False
    """whether values are shares, shown on an axis from 0 to 1"""
    marks: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """name → x, drawn as dotted vertical lines with their names"""
    names: Sequence[str] = ()
    """names of the places 0, 1, … of a horizontal axis without numbers, where dots take the place of lines"""


def panels(
    path: Path | str, charts: Sequence[Panel], *, title: str = "", looks: Mapping[str, Look] | None = None
) -> None:
    """Write a figure of charts; its kind is that of the suffix: ``.png``, ``.svg`` or ``.pdf``.

    ``looks`` are colours and dashes by name of a line; None: by order.

    Raises ``ValueError`` without charts.
    """
    if not charts:
        raise ValueError("a figure needs at least one chart")
    columns = min(_COLUMNS, len(charts))
    rows = -(-len(charts) // columns)
    names = list(dict.fromkeys(name for chart in charts for name in chart.lines))
    figure = style.new_figure(max(_SIZE[0] * columns, 5.2), _SIZE[1] * rows + 0.5 + 0.2 * -(-len(names) // 4))
    figure.suptitle(title, x=0.01, horizontalalignment="left", fontsize=12, color=INK)
    grid = figure.subplots(rows, columns, squeeze=False)
    looks = looks or by_order(names)
    handles: dict[str, Any] = {}
    for axes, chart in zip(grid.flat, charts, strict=False):
        handles |= _draw(axes, chart, looks)
    for axes in grid.flat[len(charts) :]:
        axes.set_visible(False)
    if len(names) > 1:
        figure.legend(
            [handles[name] for name in names], names,
            loc="outside lower left", ncols=4, fontsize=9, frameon=False, labelcolor=INK,
        )  # fmt: skip
    style.save(figure, path)


def _draw(axes: Axes, chart: Panel, looks: Mapping[str, Look]) -> dict[str, Any]:
    handles: dict[str, Any] = {}
    for name, line in chart.lines.items():
        colour, dash = looks[name].colour, looks[name].dash
        ys = _shown(line.ys, chart.log_y)
        how: dict[str, Any] = {"linestyle": dash}
        if chart.names:
            how = {"linestyle": "none", "marker": "o", "markersize": 4}
        (handles[name],) = axes.plot(np.asarray(line.xs), ys, color=colour, linewidth=1.5, **how)
        if line.low is not None and line.high is not None:
            low, high = (_shown(edge, chart.log_y) for edge in (line.low, line.high))
            if chart.names:
                axes.vlines(np.asarray(line.xs), low, high, color=colour, alpha=0.5, linewidth=1.2)
            else:
                axes.fill_between(np.asarray(line.xs), low, high, color=colour, alpha=0.18, linewidth=0)
    for name, x in chart.marks.items():
        axes.axvline(x, color=style.FAINT, linestyle=style.DOTTED, linewidth=1.3, zorder=1)
        axes.annotate(
            name, (x, 1.0), xycoords=("data", "axes fraction"), xytext=(3, -3), textcoords="offset points",
            color=style.FAINT, fontsize=8, verticalalignment="top",
        )  # fmt: skip
    if chart.log_x:
        axes.set_xscale("symlog" if _has_zero(chart) else "log")
    elif all(is_whole(line.xs) for line in chart.lines.values()):
        axes.locator_params(axis="x", integer=True)
    if chart.log_y:
        axes.set_yscale("log")
    if chart.share:
        axes.set_ylim(-0.03, 1.03)
    if chart.names:
        axes.set_xlim(-0.5, len(chart.names) - 0.5)
        axes.set_xticks(range(len(chart.names)), list(chart.names), rotation=20, horizontalalignment="right")
    axes.set_title(chart.title, loc="left", fontsize=9.5, color=INK, wrap=True)
    axes.set_xlabel(chart.x_label, fontsize=9, color=INK)
    axes.set_ylabel(chart.y_label, fontsize=9, color=INK)
    style.decorate(axes, label_size=8)
    axes.tick_params(which="minor", labelsize=8, labelcolor=INK)
    return handles


def _shown(values: ArrayLike, log: bool) -> np.ndarray:
    array = np.asarray(values, float)
    shown = np.isfinite(array) & (array > 0) if log else np.isfinite(array)
    return np.where(shown, array, np.nan)


def _has_zero(chart: Panel) -> bool:
    return any(np.any(np.asarray(line.xs, float) <= 0) for line in chart.lines.values())
