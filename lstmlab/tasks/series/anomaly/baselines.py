"""Detectors of an anomaly task: that of a trained model, and simple ones beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from lstmlab.data.download import DataError
from lstmlab.tasks.series.anomaly.metrics import detection_metrics
from lstmlab.tasks.series.anomaly.scoring import Scorer, error_vectors, moving_average_errors, moving_z_errors
from lstmlab.tasks.task import Predictor

if TYPE_CHECKING:
    from lstmlab.tasks.series.anomaly.task import Anomaly


class Detector(NamedTuple):
    """What is fitted on the training part, and the score of every row (NaN in the first ones)."""

    scorer: Scorer
    scores: Float[np.ndarray, " rows"]


def fit(task: Anomaly, errors: Float[np.ndarray, "rows errors"]) -> Detector:
    """From the errors of all rows, of which only those of the training part are used to fit: by default of the rows
    that stopped training early, as errors on rows that were trained on are smaller than those to come.
    """
    rows = slice(task.spans["validation"][0] if task.fitted_on == "validation" else 0, task.train_end)
    known = errors[rows]
    if task.labelled.labels is not None:
        known = known[~task.labelled.labels[rows]]
    if np.isfinite(known).all(axis=1).sum() < 2:
        raise DataError("fewer than 2 normal rows of the training part can be forecast: take a larger task.train_share")
    scorer = Scorer.fit(known, task.smoothing, task.threshold)
    return Detector(scorer, scorer.scores(errors))


def fit_model(task: Anomaly, predictor: Predictor) -> Detector:
    """The detector of a trained model."""
    return fit(task, model_errors(task, predictor, task.scaled))


def model_errors(
    task: Anomaly, predictor: Predictor, scaled: Float[np.ndarray, "rows columns"]
) -> Float[np.ndarray, "rows errors"]:
    """The errors of all forecasts of each row; NaN in the first context + horizon − 1 rows."""
    return error_vectors(forecasts(task, predictor, scaled), scaled)


def forecasts(
    task: Anomaly, predictor: Predictor, scaled: Float[np.ndarray, "rows columns"]
) -> Float[np.ndarray, "rows horizon columns"]:
    """``[t, k]`` forecasts row t + 1 + k, having read at least ``context`` rows up to t; NaN before that."""
    rows, steps = len(scaled), task.steps
    made = np.full((rows, task.horizon, task.columns), np.nan)
    starts = np.arange(0, rows - task.context + 1, steps)
    batch = task.windows(jnp.asarray(scaled, jnp.float32), jnp.asarray(starts))
    outputs = np.asarray(predictor.predict(batch), np.float64)[:, task.context - 1 :]
    changes = outputs.reshape(-1, task.horizon, task.columns)[: rows - task.context + 1]
    made[task.context - 1 :] = scaled[task.context - 1 :, None] + changes
    return made


def judge(task: Anomaly, detector: Detector) -> dict[str, float]:
    """The measures of a detector on the test rows; of an unlabelled series the share of rows flagged."""
    scores = detector.scores[task.train_end :]
    if task.labelled.labels is None:
        return {"flagged_share": float(np.mean(scores > detector.scorer.threshold))}
    return detection_metrics(task.labelled.labels[task.train_end :], scores, detector.scorer.threshold)


def simple_errors(task: Anomaly) -> dict[str, Float[np.ndarray, "rows columns"]]:
    """The errors of forecasts of the next row that need no model, by name."""
    scaled = task.scaled
    persistence = np.full(scaled.shape, np.nan)
    persistence[1:] = np.diff(scaled, axis=0)
    return {
        "persistence": persistence,
        "moving average": moving_average_errors(scaled, task.context),
        "moving z-score": moving_z_errors(scaled, task.context),
    }


def baselines(task: Anomaly) -> dict[str, dict[str, float]]:
    """Per measure that of each simple detector; ``no skill`` is the area of a constant score, the share labelled."""
    judged = {name: judge(task, fit(task, errors)) for name, errors in simple_errors(task).items()}
    labels = task.labelled.labels
    if labels is not None and labels[task.train_end :].any():
        judged["no skill"] = {"auprc": float(labels[task.train_end :].mean())}
    measures = dict.fromkeys(measure for values in judged.values() for measure in values)
    return {measure: {name: values[measure] for name, values in judged.items() if measure in values}
            for measure in measures}  # fmt: skip


def forecast_errors(task: Anomaly) -> dict[str, float]:
    """Mean squared errors of simple forecasts of the test rows, over all distances; best first."""
    first, end = task.spans["test"]
    scaled = task.scaled
    past = np.lib.stride_tricks.sliding_window_view(scaled, task.context, axis=0).mean(axis=-1)
    origins = np.arange(first - 1, end - task.horizon)
    guesses = {
        "persistence": scaled[origins], "moving average": past[origins - task.context + 1],
        "training mean": np.zeros((len(origins), task.columns)),
    }  # fmt: skip
    truth = scaled[origins[:, None] + 1 + np.arange(task.horizon)]
    errors = {name: float(np.mean((guess[:, None] - truth) ** 2)) for name, guess in guesses.items()}
    return dict(sorted(errors.items(), key=lambda item: item[1]))
