"""Simple detectors and simple forecasts, which need no trained model."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool

from lstmlab.simple_models.scikit import has_scikit_learn
from lstmlab.tasks.series.anomaly.metrics import detection_metrics
from lstmlab.tasks.series.anomaly_scores import Detector, DetectorSettings
from lstmlab.tasks.series.linear_forecasters import change_reader, chunks, fit_linear
from lstmlab.tasks.series.naive_forecasters import seasons
from lstmlab.tasks.series.series_info import SeriesValues
from lstmlab.tasks.series.splits import Spans

SMALLEST_STD = 0.01
NORMAL_MAD = 1.4826  # standard deviations in a median absolute deviation of normal values
FOREST_ROWS = 8


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


def seasonal_z_errors(values: SeriesValues, season: int, train_end: int) -> SeriesValues:
    """x_t minus the median of the training rows at the same place of the season, divided by 1.4826 times their median
    absolute deviation, or by 0.01 where that is less; with a season of 1, of all training rows.
    """
    slots = np.arange(len(values)) % season
    errors = np.empty(values.shape)
    for slot in range(season):
        known = values[:train_end][slots[:train_end] == slot]
        middle = np.median(known, axis=0)
        spread = NORMAL_MAD * np.median(np.abs(known - middle), axis=0)
        errors[slots == slot] = (values[slots == slot] - middle) / np.maximum(spread, SMALLEST_STD)
    return errors


def isolation_errors(values: SeriesValues, train_end: int) -> SeriesValues:
    """The anomaly score of an isolation forest (Liu, Ting & Zhou 2008; scikit-learn) of each row with the seven before
    it, ``[rows, 1]``, fitted on the training rows; NaN in the first seven rows."""
    from sklearn.ensemble import IsolationForest

    read = np.lib.stride_tricks.sliding_window_view(values, FOREST_ROWS, axis=0).reshape(
        -1, FOREST_ROWS * values.shape[1]
    )
    errors = np.full((len(values), 1), np.nan)
    forest = IsolationForest(random_state=0).fit(read[: max(train_end - FOREST_ROWS + 1, 1)])
    errors[FOREST_ROWS - 1 :, 0] = -forest.score_samples(read)
    return errors


def season_of(step: np.timedelta64 | None, train_end: int) -> int:
    """A week in rows, or a day, where the training rows hold two of them or more; else 1."""
    return max(seasons(step, train_end // 2).values(), default=1)


def detection_baselines(
    scaled: SeriesValues,
    labels: Bool[np.ndarray, " rows"] | None,
    context: int,
    train_end: int,
    settings: DetectorSettings,
    season: int = 1,
) -> dict[str, dict[str, float]]:
    """For each measure the value of each simple detector on the rows from ``train_end`` on.

    The isolation forest is left out where scikit-learn is not installed. ``no skill`` is the area under the curve of a
    constant score, which is the share of labelled rows.
    """
    test_labels = None if labels is None else labels[train_end:]
    by_detector = {}
    found = simple_errors(scaled, context) | {"robust seasonal z-score": seasonal_z_errors(scaled, season, train_end)}
    if has_scikit_learn():
        found["isolation forest"] = isolation_errors(scaled, train_end)
    for name, errors in found.items():
        detector = Detector.fit(errors, labels, settings)
        by_detector[name] = detection_metrics(test_labels, detector.scores[train_end:], detector.scorer.threshold)
    if test_labels is not None and test_labels.any():
        by_detector["no skill"] = {"auprc": float(test_labels.mean())}
    measures = dict.fromkeys(measure for values in by_detector.values() for measure in values)
    return {measure: {name: values[measure] for name, values in by_detector.items() if measure in values}
            for measure in measures}  # fmt: skip


def simple_forecast_errors(scaled: SeriesValues, spans: Spans, context: int, horizon: int) -> dict[str, float]:
    """Mean squared errors of simple forecasts of the test rows over all distances, best first; ``linear`` is the linear
    map of the context with the least squared error in training, its penalty chosen on validation.
    """
    first, end = spans["test"]
    past = np.lib.stride_tricks.sliding_window_view(scaled, context, axis=0).mean(axis=-1)
    origins = np.arange(first - 1, end - horizon)
    forecasts = {
        "persistence": scaled[origins], "moving average": past[origins - context + 1],
        "training mean": np.zeros((len(origins), scaled.shape[1])),
    }  # fmt: skip
    truth = scaled[origins[:, None] + 1 + np.arange(horizon)]
    errors = {name: float(np.mean((forecast[:, None] - truth) ** 2)) for name, forecast in forecasts.items()}
    linear = fit_linear(change_reader(context), scaled, spans, context, horizon)
    squares = [np.square(linear(scaled, part + 1) - truth[part + 1 - first]) for part in chunks(origins)]
    errors["linear"] = float(np.concatenate(squares).mean())
    return dict(sorted(errors.items(), key=lambda item: item[1]))
