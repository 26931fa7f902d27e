"""What an anomaly detector shows: the series with its labelled windows, the score below."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from lstmlab.plots.anomaly import anomaly_plot
from lstmlab.tasks.series.anomaly import baselines as detectors
from lstmlab.tasks.series.anomaly.metrics import runs
from lstmlab.tasks.task import Plot, Predictor

if TYPE_CHECKING:
    from lstmlab.tasks.series.anomaly.task import Anomaly


def plot(task: Anomaly, predictor: Predictor) -> list[Plot]:
    """The whole series and, where there are labels, the surroundings of the first labelled window of the test."""
    detector = detectors.fit_model(task, predictor)
    labelled = task.labelled
    labels = None if labelled.labels is None else runs(labelled.labels)
    draw = functools.partial(
        anomaly_plot, values=labelled.values, names=labelled.names, times=labelled.times, scores=detector.scores,
        threshold=detector.scorer.threshold, windows=labels, train_end=task.train_end,
    )  # fmt: skip
    shown = [Plot("anomalies", draw=draw)]
    tested = [window for window in labels or [] if window[0] >= task.train_end]
    if tested:
        first, end = tested[0]
        margin = max(end - first, task.context)
        rows = (max(first - margin, 0), min(end + margin, len(labelled.values)))
        shown.append(Plot("first_window", draw=functools.partial(draw, rows=rows)))
    return shown
