"""Plots of a series with its labelled windows, and of the anomaly scores below it."""

from __future__ import annotations

import functools

from lstmlab.plots.anomaly import anomaly_plot
from lstmlab.tasks.series.anomaly.dataset import LabelledSeries
from lstmlab.tasks.series.anomaly.metrics import runs
from lstmlab.tasks.series.anomaly_scores import Detector
from lstmlab.tasks.specs import Plot


def detection_plots(series: LabelledSeries, detector: Detector, train_end: int, context: int) -> list[Plot]:
    """The whole series and, where there are labels, the surroundings of the first labelled window of the test rows,
    which begin at ``train_end``: as many rows as the window has on both sides, but at least ``context``.
    """
    windows = None if series.labels is None else runs(series.labels)
    draw = functools.partial(
        anomaly_plot, values=series.values, names=series.names, times=series.local_times, scores=detector.scores,
        threshold=detector.scorer.threshold, windows=windows, train_end=train_end,
    )  # fmt: skip
    plots = [Plot("anomalies", draw=draw)]
    tested = [window for window in windows or [] if window[0] >= train_end]
    if tested:
        first, end = tested[0]
        margin = max(end - first, context)
        rows = (max(first - margin, 0), min(end + margin, len(series.values)))
        plots.append(Plot("first_window", draw=functools.partial(draw, rows=rows)))
    return plots
