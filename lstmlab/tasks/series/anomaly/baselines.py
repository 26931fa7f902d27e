"""Simple detectors and simple forecasts, which need no trained model."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool

from lstmlab.tasks.series.anomaly.metrics import detection_metrics
from lstmlab.tasks.series.anomaly_scores import Detector, DetectorSettings
from lstmlab.tasks.series.series_info import SeriesValues

SMALLEST_STD = 0.01


def simple_errors(scaled: SeriesValues, context: int) -> dict[str, SeriesValues]:
    """The errors of simple forecasts of each row from those before it, by name; NaN where there is no forecast."""
    persistence = np.full(scaled.shape, np.nan)
    persistence[1:] = np.diff(scaled, axis=0)
    return {
        "persistence": persistence,
        "moving average": moving_average_errors(scaled, context),
        "moving z-score": moving_z_errors(scaled, context),
    }


def moving_average_errors(values: SeriesValues, width: int) -> SeriesValues:
    """x_t minus the mean of the ``width`` rows before it; NaN in the first ``width`` rows."""
    errors = np.full(values.shape, np.nan)
    past = np.lib.stride_tricks.sliding_window_view(values, width, axis=0)[:-1]
    errors[width:] = values[width:] - past.mean(axis=-1)
    return errors


def moving_z_errors(values: SeriesValues, width: int) -> SeriesValues:
    """The same divided by the standard deviation of those rows, or by 0.01 where that is less; ``values`` are z-scores,
    so that 0.01 is a hundredth of the standard deviation of the training part.
    """
    past = np.lib.stride_tricks.sliding_window_view(values, width, axis=0)[:-1]
    errors = moving_average_errors(values, width)
    errors[width:] /= np.maximum(past.std(axis=-1), SMALLEST_STD)
    return errors


def detection_baselines(
    scaled: SeriesValues,
    labels: Bool[np.ndarray, " rows"] | None,
    context: int,
    train_end: int,
    settings: DetectorSettings,
) -> dict[str, dict[str, float]]:
    """For each measure the value of each simple detector on the rows from ``train_end`` on.

    ``no skill`` is the area under the curve of a constant score, which is the share of labelled rows.
    """
    test_labels = None if labels is None else labels[train_end:]
    by_detector = {}
    for name, errors in simple_errors(scaled, context).items():
        detector = Detector.fit(errors, labels, settings)
        by_detector[name] = detection_metrics(test_labels, detector.scores[train_end:], detector.scorer.threshold)
    if test_labels is not None and test_labels.any():
        by_detector["no skill"] = {"auprc": float(test_labels.mean())}
    measures = dict.fromkeys(measure for values in by_detector.values() for measure in values)
    return {measure: {name: values[measure] for name, values in by_detector.items() if measure in values}
            for measure in measures}  # fmt: skip


def simple_forecast_errors(scaled: SeriesValues, test: tuple[int, int], context: int, horizon: int) -> dict[str, float]:
    """Mean squared errors of simple forecasts of the test rows, from ``test[0]`` up to ``test[1]``, over all distances;
    best first.
    """
    first, end = test
    past = np.lib.stride_tricks.sliding_window_view(scaled, context, axis=0).mean(axis=-1)
    origins = np.arange(first - 1, end - horizon)
    forecasts = {
        "persistence": scaled[origins], "moving average": past[origins - context + 1],
        "training mean": np.zeros((len(origins), scaled.shape[1])),
    }  # fmt: skip
    truth = scaled[origins[:, None] + 1 + np.arange(horizon)]
    errors = {name: float(np.mean((forecast[:, None] - truth) ** 2)) for name, forecast in forecasts.items()}
    return dict(sorted(errors.items(), key=lambda item: item[1]))
