"""Small figures with matplotlib, drawn without pyplot: no window, no global state.

Colours are those of Okabe and Ito (2008), which colour-blind readers can tell apart. Lines are
named where they end, in their colour, so that no legend covers data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A5195")
_DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.5)))  # colours repeat after seven lines; dashes go on
_Dash = str | tuple[float, tuple[float, ...]]
_INK, _FAINT = "#333333", "#8A8A8A"
_DPI = 150


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

    Non-finite values are gaps, and a cross marks where a line stops early. ``baselines`` are
    dashed horizontal lines; ``bands`` maps names of ``series`` to (lows ``[n]``, highs ``[n]``),
    shaded around that line. With ``log_y`` values that are not positive are gaps.
    Raises ``ValueError`` when xs and ys differ in length.
    """
    figure, axes = _figure(title, x_label, y_label)
    if log_y:
        axes.set_yscale("log")
    labels = []
    for index, (name, (xs, ys)) in enumerate(series.items()):
        x, y = _line(name, xs, ys)
        if log_y:
            y = np.where(y > 0, y, np.nan)
        colour, dash = _style(index)
        axes.plot(x, y, color=colour, linestyle=dash, linewidth=1.6, solid_capstyle="round")
        if bands and name in bands:
            low, high = bands[name]
            axes.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)
        labels.append(_End(name, x, y, colour, dash))
    for name, value in (baselines or {}).items():
        axes.axhline(value, color=_FAINT, linestyle=(0, (4, 3)), linewidth=1.1, zorder=1)
        labels.append(_End(name, np.full(1, np.nan), np.full(1, float(value)), _FAINT))
    axes.margins(x=0)
    _name_ends(axes, labels)
    _save(figure, path)


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
    anew: int = 0,
    truth_name: str = "truth",
) -> None:
    """Write a PNG of a series ``[n]`` and of forecasts of its end: name → ``[h]`` with h ≤ n.

    A forecast covers the last h of ``times`` (numbers or datetime64) and is drawn from the last
    true value before it; a vertical line marks where the longest one starts. ``bands`` maps names
    of ``predictions`` to (lows ``[h]``, highs ``[h]``), shaded around that line. With ``anew`` the
    forecast was made anew every so many points, and each time starts from the truth.
    Raises ``ValueError`` for other lengths.
    """
    figure, axes = _figure(title, x_label, y_label)
    x, y = np.asarray(times), np.asarray(truth, np.float64)
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError(f"times {x.shape} and truth {y.shape} need one length")
    if x.dtype.kind == "M":
        places = AutoDateLocator(maxticks=8)
        axes.xaxis.set_major_locator(places)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(places))  # long dates would overlap
    axes.plot(x, y, color=_INK, linewidth=1.6, zorder=2)
    labels = [_End(truth_name, x, y, _INK)]
    starts = []
    for index, (name, values) in enumerate(predictions.items()):
        predicted = np.asarray(values, np.float64)
        if predicted.ndim != 1 or not 0 < len(predicted) <= len(y):
            raise ValueError(f"forecast '{name}' has shape {predicted.shape}, truth {y.shape}")
        start = len(y) - len(predicted)
        starts.append(start)
        colour, dash = _style(index)
        for begin in range(start, len(y), anew or len(y)):
            joined = slice(max(begin - 1, 0), begin + (anew or len(y)))
            piece = predicted[begin - start : begin - start + (anew or len(y))]
            piece = np.concatenate([y[max(begin - 1, 0) : begin], piece])
            axes.plot(x[joined], piece, color=colour, linestyle=dash, linewidth=1.6, zorder=3)
        if bands and name in bands:
            low, high = bands[name]
            axes.fill_between(x[start:], low, high, color=colour, alpha=0.18, linewidth=0)
        labels.append(_End(name, x[start:], predicted, colour, dash))
    if starts and min(starts) > 0:
        first: Any = x[min(starts) - 1]  # a number or a date: matplotlib converts both
        axes.axvline(first, color=_FAINT, linestyle=(0, (1, 2)), linewidth=1.1)
    axes.margins(x=0)
    _name_ends(axes, labels)
    _save(figure, path)


@dataclass
class _End:
    """A line whose name is written right of the axes, at the height of its last finite value."""

    name: str
    x: np.ndarray
    y: np.ndarray
    colour: str
    dash: _Dash = "-"


def _figure(title: str, x_label: str, y_label: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(7.2, 4.0), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", fontsize=12, color=_INK)
    axes.set_xlabel(x_label, fontsize=10, color=_INK)
    axes.set_ylabel(y_label, fontsize=10, color=_INK)
    axes.tick_params(labelsize=9, color=_FAINT, labelcolor=_INK)
    axes.grid(True, color="#E6E6E6", linewidth=0.7)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color("#BBBBBB")
    return figure, axes


def _save(figure: Figure, path: Path | str) -> None:
    figure.savefig(Path(path), dpi=_DPI, format="png")


def _style(index: int) -> tuple[str, _Dash]:
    return COLOURS[index % len(COLOURS)], _DASHES[index // len(COLOURS) % len(_DASHES)]


def _line(name: str, xs: ArrayLike, ys: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.asarray(xs), np.asarray(ys, np.float64)
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError(f"'{name}': xs {x.shape} and ys {y.shape} need one length")
    return x, np.where(np.isfinite(y), y, np.nan)


def _name_ends(axes: Axes, ends: list[_End]) -> None:
    """Write the names right of the axes, at the height where each line ends, spread apart."""
    axes.autoscale_view()
    axes.set_ylim(axes.get_ylim())
    to_fraction = axes.transData + axes.transAxes.inverted()
    left, right = axes.get_xlim()
    axes.set_xlim(left, right)
    heights = []
    for end in ends:
        finite = end.y[np.isfinite(end.y)]
        height = to_fraction.transform((left, finite[-1]))[1] if len(finite) else 0.0
        heights.append(float(np.clip(height, 0.0, 1.0)))
    for end, height, place in zip(ends, heights, _spread(heights), strict=True):
        finite = np.flatnonzero(np.isfinite(end.y))
        axes.annotate(
            end.name if len(finite) else f"{end.name} (no finite value)",
            xy=(1.0, height),
            xytext=(1.04, place),
            xycoords="axes fraction",
            textcoords="axes fraction",
            color=end.colour,
            fontsize=9,
            verticalalignment="center",
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": end.colour,
                "linewidth": 1.0 if len(finite) else 0.0,
                "linestyle": end.dash,
                "relpos": (0.0, 0.5),
                "shrinkA": 1.0,
                "shrinkB": 2.0,
            },
        )
        last = finite[-1] if len(finite) else -1
        if len(finite) and float(axes.convert_xunits(end.x[last])) < right:
            axes.plot(end.x[last], end.y[last], "x", color=end.colour, mew=1.8, zorder=4)


def _spread(heights: list[float], gap: float = 0.06) -> list[float]:
    """Heights in [0, 1] moved as little as needed to be ``gap`` apart, in the same order."""
    count = len(heights)
    gap = min(gap, 1.0 / max(count - 1, 1))
    order = np.argsort(heights, kind="stable")
    shifted = np.asarray(heights, float)[order] - gap * np.arange(count)
    # Pool adjacent violators: the least-squares solution of "each is at least a gap above".
    blocks: list[list[float]] = []
    for value in shifted:
        blocks.append([value, 1.0])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (low, many), (high, more) = blocks[-2:]
            blocks[-2:] = [[(low * many + high * more) / (many + more), many + more]]
    spread = np.concatenate([[value] * int(many) for value, many in blocks] or [[]])
    spread = np.clip(spread, 0.0, max(1.0 - gap * (count - 1), 0.0)) + gap * np.arange(count)
    places = np.empty(count)
    places[order] = spread
    return places.tolist()
