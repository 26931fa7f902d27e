"""Learning curves: a line per name with the band of its seeds, and single runs where they are few."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from lstmlab.report.figures.style import GREY, Style, baseline_line, label, new_figure, style, trace_id
from lstmlab.report.figures.thin import kept

MOST_SINGLE = 40
"""single runs that one figure shows; with more of them it has only means and bands"""
_FEW_WHOLE = 8
"""steps between the ends of an axis of whole numbers up to which each has a tick"""
_UNIFIED = 8
"""lines up to which the values of all are shown together under the pointer"""


@dataclass(frozen=True)
class Curve:
    """A line over steps: ``xs``, ``ys`` ``[n]``, perhaps with a band ``lows``, ``highs`` ``[n]``."""

    xs: ArrayLike
    ys: ArrayLike
    lows: ArrayLike | None = None
    highs: ArrayLike | None = None
    runs: Mapping[str, tuple[ArrayLike, ArrayLike]] = field(default_factory=dict)
    """single runs behind the line by name, such as ``seed 3``: (xs, ys)"""
    failed: Mapping[str, tuple[ArrayLike, ArrayLike]] = field(default_factory=dict)
    """runs that failed, whose lines end in a cross"""
    log_lows: ArrayLike | None = None
    """in place of ``lows`` on a logarithmic axis"""


def learning_curves(
    curves: Mapping[str, Curve],
    styles: Mapping[str, Style],
    *,
    x_label: str = "optimiser steps",
    y_label: str = "",
    baselines: Mapping[str, float] | None = None,
    log_y: bool = False,
    most_single: int = MOST_SINGLE,
) -> go.Figure:
    """One line per entry of ``curves``, in the style of its name; a click on the legend hides it with its runs.

    Traces have a ``uid``: those that a reader has hidden stay hidden in a later figure. Long curves are thinned.
    Up to ``most_single`` single runs are drawn, and more of them not at all. With ``log_y`` bands end at ``log_lows``,
    or are cut off at half of the lowest positive value. Bands that reach zero carry their points for a logarithmic
    axis as ``meta["log_y"]``, so that a page can switch without a new figure.
    """
    figure = new_figure(x_label, y_label)
    single = sum(len(curve.runs) + len(curve.failed) for curve in curves.values()) <= most_single
    floor = 0.5 * min((lowest for curve in curves.values() if (lowest := _lowest_positive(curve.ys))), default=1.0)
    for name, curve in curves.items():
        look = style(name, styles)
        figure.add_traces(_band(name, curve, look, floor, log_y))
        if single:
            figure.add_traces(_single(name, curve, look))
        figure.add_trace(_line(name, curve, look))
    figure.add_traces(_baselines(curves, baselines or {}))
    figure.update_layout(hovermode="x unified" if len(curves) <= _UNIFIED else "closest", showlegend=True)
    figure.update_yaxes(type="log" if log_y else "linear")
    every = np.concatenate([np.asarray(curve.xs, float) for curve in curves.values()] or [np.zeros(0)])
    if len(every) and np.ptp(every) <= _FEW_WHOLE and (every == np.round(every)).all():
        figure.update_xaxes(dtick=1)  # otherwise there would be halves between whole numbers
    return figure


def add_marks(figure: go.Figure, marks: Mapping[str, float]) -> None:
    """Dotted vertical lines with names, at places of a linear horizontal axis: name → x."""
    for name, x in marks.items():
        line, text = {"color": GREY, "dash": "dot", "width": 1.3}, {"text": label(name), "font": {"color": GREY}}
        figure.add_vline(x, line=line, annotation=text)


def _line(name: str, curve: Curve, look: Style) -> go.Scatter:
    x, y = _points(curve.xs, curve.ys)
    return go.Scatter(
        x=x, y=y, name=label(name), uid=trace_id("line", name), legendgroup=label(name),
        mode="lines" if len(x) > 1 else "markers",
        line={"color": look.colour, "dash": look.dash, "width": 2.2},
        marker={"color": look.colour, "symbol": look.symbol},
        hovertemplate="%{fullData.name}: %{y:.4g}<extra></extra>",
    )  # fmt: skip


def _band(name: str, curve: Curve, look: Style, floor: float, log_y: bool) -> list[go.Scatter]:
    if curve.lows is None or curve.highs is None:
        return []
    xs, low, high = np.asarray(curve.xs), np.asarray(curve.lows, float), np.asarray(curve.highs, float)
    low_on_log = low if curve.log_lows is None else np.asarray(curve.log_lows, float)
    known = np.isfinite(low) & np.isfinite(high)
    xs, low, high, low_on_log = xs[known], low[known], high[known], low_on_log[known]
    if len(xs) < 2 or not (high > low).any():
        return []
    keep = kept(high)
    outline = np.concatenate([high[keep], low[keep][::-1]]).astype(np.float32)
    on_log = np.maximum(np.concatenate([high[keep], low_on_log[keep][::-1]]).astype(np.float32), floor)
    reaches_zero = not (outline > 0).all()
    return [
        go.Scatter(
            x=np.concatenate([xs[keep], xs[keep][::-1]]), y=on_log if log_y else outline, fill="toself",
            fillcolor=look.faint(0.18), line={"width": 0}, mode="lines", hoverinfo="skip", showlegend=False,
            legendgroup=label(name), uid=trace_id("band", name),
            meta={"log_y": [float(f"{y:.4g}") for y in on_log]} if reaches_zero else None,
        )
    ]  # fmt: skip


def _single(name: str, curve: Curve, look: Style) -> list[go.Scatter]:
    """Thin lines; alone it would lie under the line of the mean."""
    traces = []
    for run, (xs, ys) in (curve.runs if len(curve.runs) > 1 or curve.failed else {}).items():
        x, y = _points(xs, ys)
        traces.append(_thin(name, run, x, y, look, mode="lines"))
    for run, (xs, ys) in curve.failed.items():
        x, y = _points(xs, ys)
        traces.append(_thin(name, f"{run}, failed", x, y, look, mode="lines"))
        if (last := np.flatnonzero(np.isfinite(y))).size:
            traces.append(_thin(name, f"{run}, failed", x[last[-1:]], y[last[-1:]], look, mode="markers"))
    return traces


def _thin(name: str, run: str, x: np.ndarray, y: np.ndarray, look: Style, mode: str) -> go.Scatter:
    return go.Scatter(
        x=x, y=y, name=label(f"{name}, {run}"), uid=trace_id(mode, f"{name}, {run}"), legendgroup=label(name),
        showlegend=False, mode=mode,
        line={"color": look.faint(0.5), "width": 0.9, "dash": look.dash},
        marker={"color": look.colour, "symbol": "x", "size": 9}, hoverinfo="skip",
    )  # fmt: skip


def _points(xs: ArrayLike, ys: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.asarray(xs), np.asarray(ys, float)
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError(f"xs {x.shape} and ys {y.shape} need one length")
    keep = kept(y)
    return x[keep], np.where(np.isfinite(y), y, np.nan)[keep].astype(np.float32)


def _baselines(curves: Mapping[str, Curve], baselines: Mapping[str, float]) -> list[go.Scatter]:
    every = np.concatenate([np.asarray(curve.xs, float) for curve in curves.values()] or [np.zeros(0)])
    ends = [float(every.min()), float(every.max())] if len(every) else [0.0, 1.0]
    return [baseline_line(f"{name} ({value:.4g})", ends, [value, value]) for name, value in baselines.items()]


def _lowest_positive(ys: ArrayLike) -> float | None:
    y: Sequence[float] | np.ndarray = np.asarray(ys, float)
    y = y[np.isfinite(y) & (y > 0)]
    return float(y.min()) if len(y) else None
