"""Anomaly detection: forecast a series from its past, and flag what was not to be expected."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from lstmlab.data.labelled import Labelled
from lstmlab.tasks import detectors
from lstmlab.tasks.anomaly_series import Facts, load_labelled, split_rows, training_rows
from lstmlab.tasks.base import Batch, Features, Illustration, Metrics, Predictor, Split, field, mean, weighted
from lstmlab.tasks.registry import register_task
from lstmlab.tasks.scoring import Scorer, Threshold
from lstmlab.tasks.tabular import TabularTask

NYC_TAXI = "realKnownCause/nyc_taxi"


@register_task(
    "anomaly",
    title="flag what a forecaster did not expect: an electrocardiogram, the Numenta benchmark or a CSV file",
    data="21 s of an ECG with one premature beat, embedded (MIT-BIH, ODC-By 1.0; from sktime, BSD); source=nab by "
    "download (Numenta anomaly benchmark, MIT); data.file=my.csv",
    paper="Malhotra et al. 2015, LSTM-AD (ESANN); smoothed as by Hundman et al. 2018, arXiv:1802.04431",
    published="none by these measures: NAB publishes a score of its own, over all 58 series together",
)
@dataclasses.dataclass(frozen=True)
class Anomaly(TabularTask):
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
    :class:`~lstmlab.tasks.scoring.Scorer`; rows above the threshold are flagged.

    **Measures.** ``mse`` is that of the scaled forecasts, by which cells are compared and runs stopped: it needs no
    labels. After training the test rows are scored: ``auprc`` (area under the precision–recall curve over rows),
    precision and recall of whole windows, false alarms, delay (see :mod:`lstmlab.tasks.detection`). The same measures
    of simple detectors stand beside them: the error of persistence, of a moving average, and a moving z-score, each
    with a scorer and threshold fitted in the same way.

    **What the labels are worth.** Wu & Keogh 2021 (arXiv:2009.13807) show that many of NAB's labels are wrong, missing
    or placed generously (its windows together are a tenth of each file, centred on the event, so that they begin
    before it can be seen), and that single lines of code solve much of it. Compare detectors on one series by several
    measures, and look at the picture. The ECG has one window: its recall is 0 or 1.
    """

    source: str = field("auto", "the series; auto: data.file, or else ecg", choices=("auto", "ecg", "nab", "file"))
    series: str = field(NYC_TAXI, "source=nab: which file of the benchmark, as FOLDER/NAME", choices=())
    train_share: float = field(
        0.0,
        "share of the rows that is the training part; 0: ecg 0.6, file 0.5, nab 0.15 and at most 750 rows",
        minimum=0,
    )
    context: int = field(100, "rows that a forecast looks back on at least", minimum=1)
    steps: int = field(50, "rows per window whose forecasts count", minimum=1)
    horizon: int = field(3, "rows forecast at each step, so forecasts of each row", minimum=1)
    smoothing: int = field(1, "span in rows of the moving average over scores; 1: none", minimum=1)
    fitted_on: str = field(
        "validation", "rows whose errors give mean, covariance and threshold: validation, or the whole training part",
        choices=("validation", "train"),
    )  # fmt: skip
    rule: str = field(
        "sigma", "threshold: mean + level · deviation of training scores, or their level-quantile",
        choices=("sigma", "quantile"),
    )  # fmt: skip
    level: float = field(4.0, "deviations above the mean, or a quantile below 1", minimum=0)

    data_label: str | None = dataclasses.field(default=None, kw_only=True)

    metric = "mse"
    readout = "steps"
    causal = True

    def __post_init__(self) -> None:
        """Refuse options that do not fit each other; raises ``ValueError``."""
        if self.train_share >= 1:
            raise ValueError(f"task.train_share is {self.train_share}, but must be below 1: the rest is the test")
        if self.rule == "quantile" and not 0 < self.level < 1:
            raise ValueError(f"task.level is {self.level}, but with task.rule=quantile must be between 0 and 1")
        if self.source == "file" and not self.data_file:
            raise ValueError("task.source=file needs a table: set data.file=my.csv")
        if self.chosen_source != "nab" and self.series != NYC_TAXI:
            raise ValueError(f"task.series={self.series} is set, but is of the Numenta benchmark: add task.source=nab")
        if self.data_label and not self.data_file:
            raise ValueError(f"data.label={self.data_label} is set, but is of a table: set data.file=my.csv")
        if self.source in ("ecg", "nab") and self.data_file:
            raise ValueError(f"task.source={self.source} and data.file={self.data_file}: set one of them")

    @property
    def chosen_source(self) -> str:
        """ecg, nab or file."""
        if self.source != "auto":
            return self.source
        return "file" if self.data_file else "ecg"

    @functools.cached_property
    def labelled(self) -> Labelled:
        """The series; raises ``DataError`` where it cannot be had or is too short."""
        return load_labelled(self)

    @functools.cached_property
    def spans(self) -> dict[Split, tuple[int, int]]:
        """First row and end of each split."""
        rows = len(self.labelled.values)
        train_end = training_rows(self.chosen_source, rows, self.train_share)
        return split_rows(rows, train_end, self.context, self.horizon)

    @property
    def train_end(self) -> int:
        """Where the training part ends and the test begins."""
        return self.spans["test"][0]

    @functools.cached_property
    def facts(self) -> Facts:
        """Names, scaler and time step, of the training part; raises ``DataError`` when a column is constant there."""
        return Facts.of(self.labelled, self.train_end)

    @functools.cached_property
    def scorer(self) -> Scorer | None:
        """That of a run that is loaded; None before there is a trained model."""
        return None

    @functools.cached_property
    def scaled(self) -> Float[np.ndarray, "rows columns"]:
        """The series, scaled, float64."""
        return self.facts.scaler.scale(self.labelled.values)

    @property
    def columns(self) -> int:
        """How many columns the series has."""
        return len(self.facts.names)

    @property
    def inputs(self) -> Features:
        """The scaled values of a row."""
        return Features(self.columns)

    @property
    def outputs(self) -> Features:
        """The change from this row to each of the next ``horizon``, all columns of the first, then of the second, …"""
        return Features(self.horizon * self.columns)

    @property
    def threshold(self) -> Threshold:
        """The rule."""
        return Threshold(self.rule, self.level)

    def data(self) -> Mapping[str, Any]:
        """Per split its scaled rows ``[rows, columns]``, with the context before the first."""
        scaled = self.scaled.astype(np.float32)
        return {split: scaled[max(first - self.context, 0) : end] for split, (first, end) in self.spans.items()}

    def origins(self, rows: int) -> int:
        """How many rows of a split's data have enough rows before and after them to forecast from."""
        return rows - self.context - self.horizon + 1

    def train_batch(self, data: Any, key: PRNGKeyArray, step: Int[Array, ""], batch_size: int) -> Batch:
        """Windows drawn at random."""
        starts = jax.random.randint(key, (batch_size,), 0, max(self.origins(data.shape[0]) - self.steps + 1, 1))
        return self.windows(data, starts)

    def rows(self, split: Split) -> int:
        """Windows side by side, so that every row is forecast once from each distance."""
        first, end = self.spans[split]
        return -(-self.origins(end - max(first - self.context, 0)) // self.steps)

    def pick(self, data: Any, rows: Int[Array, " batch"]) -> Batch:
        """Windows side by side."""
        return self.windows(data, self.steps * rows)

    def windows(self, data: Any, starts: Int[Array, " batch"]) -> Batch:
        """Windows that begin at rows of ``data``: inputs ``[batch, context + steps − 1, columns]``.

        Targets are ``[batch, steps, 1 + horizon · columns]``: whether the forecast counts (1, or 0 where its rows lie
        beyond the end), and the true changes.
        """
        data = jnp.asarray(data)
        at = starts[:, None] + jnp.arange(self.context + self.steps - 1)
        origins = at[:, self.context - 1 :]
        ahead = origins[..., None] + 1 + jnp.arange(self.horizon)
        counts = (ahead[..., -1] < data.shape[0])[..., None]
        last = data.shape[0] - 1
        changes = data[jnp.minimum(ahead, last)] - data[jnp.minimum(origins, last)][:, :, None]
        changes = changes.reshape(*changes.shape[:2], -1)
        return Batch(data[jnp.minimum(at, last)], jnp.concatenate([counts, changes], axis=-1))

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
        """The detection measures on the test rows; without labels the share of rows flagged, and the threshold."""
        return detectors.judge(self, detectors.fit_model(self, predictor))

    def other_baselines(self) -> dict[str, dict[str, float]]:
        """Per detection measure that of each simple detector."""
        return detectors.baselines(self)

    def keeps(self) -> dict[str, Any]:
        """Names, scaler and time step: what is needed to score another file."""
        return self.facts.plain()

    def learned(self, predictor: Predictor) -> dict[str, Any]:
        """The scorer with its threshold."""
        return {"scorer": detectors.fit_model(self, predictor).scorer.plain()}

    def given(self, kept: Mapping[str, Any]) -> Anomaly:
        """The same task, which need not read its series to score another."""
        twin = dataclasses.replace(self)
        # In the place of the cached properties.
        object.__setattr__(twin, "facts", Facts.from_plain(kept))
        object.__setattr__(twin, "scorer", Scorer.from_plain(kept["scorer"]))
        return twin

    def illustrate(self, predictor: Predictor) -> list[Illustration]:
        """The series with its labelled windows, above the score and its threshold."""
        from lstmlab.tasks.anomaly_pictures import illustrate

        return illustrate(self, predictor)


def _counted(values: Array, counts: Array, batch: Batch) -> tuple[Array, Array]:
    """Total and weight of the values that count."""
    total, _ = weighted(values * counts, batch)
    weight, _ = weighted(jnp.broadcast_to(counts, values.shape), batch)
    return total, weight
