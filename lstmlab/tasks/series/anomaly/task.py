"""Anomaly detection: forecast a series from its past, and flag what was not to be expected."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from lstmlab.settings import setting
from lstmlab.tasks.registry import register_task
from lstmlab.tasks.series.anomaly import baselines as detectors
from lstmlab.tasks.series.anomaly.dataset import Facts
from lstmlab.tasks.series.anomaly.scoring import Scorer, Threshold
from lstmlab.tasks.series.anomaly.windows import ForecastSeries
from lstmlab.tasks.task import Batch, Features, Metrics, Plot, Predictor, mean, weighted


@register_task(
    "anomaly",
    title="flag what a forecaster did not expect: an electrocardiogram, the Numenta benchmark or a CSV file",
    data="21 s of an ECG with one premature beat, embedded (MIT-BIH, ODC-By 1.0; from sktime, BSD); source=nab by "
    "download (Numenta anomaly benchmark, MIT); data.file=my.csv",
    paper="Malhotra et al. 2015, LSTM-AD (ESANN); smoothed as by Hundman et al. 2018, arXiv:1802.04431",
    published="none by these measures: NAB publishes a score of its own, over all 58 series together",
)
@dataclasses.dataclass(frozen=True)
class Anomaly(ForecastSeries):
    """A model trained on the undisturbed beginning of a series forecasts every row from those before it.

    **Protocol.** The first ``train_share`` of the rows is the training part: its first 80 % train, the rest stops
    training early. Scaler, mean and covariance of the errors, and the threshold see the training part alone; the rows
    after it are the test, on which nothing is fitted. For NAB that part is its probationary period, the first 15 % but
    at most 750 rows. Rows of the training part that are labelled anomalous do not count for errors and threshold.

    **Forecast.** At every row the model gives the next ``horizon`` rows, as differences to the row it has just read.
    Rows are scaled by the training part. The series is read in windows of ``context + steps`` rows; the outputs of the
    last ``steps`` count, so each forecast has seen at least ``context`` rows, and every row is forecast once from each
    distance.

    **Score.** The Mahalanobis distance of a row's errors (Malhotra et al. 2015), see
    :class:`~lstmlab.tasks.series.anomaly.scoring.Scorer`; rows above the threshold are flagged.

    **Measures.** ``mse`` is that of the scaled forecasts, by which cells are compared and runs stopped: it needs no
    labels. After training the test rows are scored: ``auprc`` (area under the precision–recall curve over rows),
    precision and recall of whole windows, false alarms, delay (see :mod:`lstmlab.tasks.series.anomaly.metrics`). The same measures
    of simple detectors stand beside them: the error of persistence, of a moving average, and a moving z-score, each
    with a scorer and threshold fitted in the same way.

    **What the labels are worth.** Wu & Keogh 2021 (arXiv:2009.13807) show that many of NAB's labels are wrong, missing
    or placed generously (its windows together are a tenth of each file, centred on the event, so that they begin
    before it can be seen), and that single lines of code solve much of it. Compare detectors on one series by several
    measures, and look at the picture. The ECG has one window: its recall is 0 or 1.
    """

    smoothing: int = setting(1, "span in rows of the moving average over scores; 1: none", minimum=1)
    fitted_on: str = setting(
        "validation", "rows whose errors give mean, covariance and threshold: validation, or the whole training part",
        choices=("validation", "train"),
    )  # fmt: skip
    rule: str = setting(
        "sigma", "threshold: mean + level · deviation of training scores, or their level-quantile",
        choices=("sigma", "quantile"),
    )  # fmt: skip
    level: float = setting(4.0, "deviations above the mean, or a quantile below 1", minimum=0)

    metric = "mse"
    readout = "steps"
    causal = True
    defaults = (
        "model.hidden_size=32", "training.steps=2000", "training.batch_size=32", "training.eval_batch_size=64",
        "training.log_every=50", "training.eval_every=50", "training.patience=10",
    )  # fmt: skip

    def __post_init__(self) -> None:
        """Refuse options that do not fit each other; raises ``ValueError``."""
        super().__post_init__()
        if self.rule == "quantile" and not 0 < self.level < 1:
            raise ValueError(f"task.level is {self.level}, but with task.rule=quantile must be between 0 and 1")

    @functools.cached_property
    def scorer(self) -> Scorer | None:
        """That of a run that is loaded; None before there is a trained model."""
        return None

    @property
    def outputs(self) -> Features:
        """The change from this row to each of the next ``horizon``, all columns of the first, then of the second, …"""
        return Features(self.horizon * self.columns)

    @property
    def threshold(self) -> Threshold:
        """The rule."""
        return Threshold(self.rule, self.level)

    def loss(self, outputs: Float[Array, "batch time numbers"], batch: Batch) -> Float[Array, ""]:
        """The mean squared error of the forecasts that count."""
        return mean(self.metrics(outputs, batch)["mse"])

    def metrics(self, outputs: Float[Array, "batch time numbers"], batch: Batch) -> Metrics:
        """Squared and absolute error of scaled forecasts, over all distances, and the squared one of the next row."""
        counts, truth = batch.targets[..., :1], batch.targets[..., 1:]
        error = outputs[:, self.context - 1 :] - truth
        return {
            "mse": _counted(error**2, counts, batch),
            "mae": _counted(jnp.abs(error), counts, batch),
            "next_mse": _counted(error[..., : self.columns] ** 2, counts, batch),
        }

    def baselines(self) -> dict[str, float]:
        """Squared errors on the test rows of forecasting no change, the mean of the context, the training mean."""
        return detectors.forecast_errors(self)

    def final_metrics(self, predictor: Predictor) -> dict[str, float]:
        """The detection measures on the test rows; without labels the share of rows flagged."""
        return detectors.judge(self, detectors.fit_model(self, predictor))

    def other_baselines(self) -> dict[str, dict[str, float]]:
        """Per detection measure that of each simple detector."""
        return detectors.baselines(self)

    def artifacts(self) -> dict[str, Any]:
        """Names, scaler and time step: what is needed to score another file."""
        return self.facts.plain()

    def fitted_artifacts(self, predictor: Predictor) -> dict[str, Any]:
        """The scorer with its threshold."""
        return {"scorer": detectors.fit_model(self, predictor).scorer.plain()}

    def with_artifacts(self, kept: Mapping[str, Any]) -> Anomaly:
        """The same task, which need not read its series to score another."""
        twin = dataclasses.replace(self)
        # In the place of the cached properties.
        object.__setattr__(twin, "facts", Facts.from_plain(kept))
        object.__setattr__(twin, "scorer", Scorer.from_plain(kept["scorer"]))
        return twin

    def plot(self, predictor: Predictor) -> list[Plot]:
        """The series with its labelled windows, above the score and its threshold."""
        from lstmlab.tasks.series.anomaly.plots import plot

        return plot(self, predictor)


def _counted(values: Array, counts: Array, batch: Batch) -> tuple[Array, Array]:
    """Total and weight of the values that count."""
    total, _ = weighted(values * counts, batch)
    weight, _ = weighted(jnp.broadcast_to(counts, values.shape), batch)
    return total, weight
