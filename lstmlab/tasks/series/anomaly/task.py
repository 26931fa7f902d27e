"""Anomaly detection: forecast a series from its past, and flag the rows that the forecast misses."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

from lstmlab.settings import setting
from lstmlab.tasks.registry import register_task
from lstmlab.tasks.series.anomaly.baselines import detection_baselines, season_of, simple_forecast_errors
from lstmlab.tasks.series.anomaly.dataset import (
    NYC_TAXI,
    AnomalySeriesSettings,
    LabelledSeries,
    SplitSeries,
    split_series,
)
from lstmlab.tasks.series.anomaly.metrics import detection_metrics
from lstmlab.tasks.series.anomaly_scores import Detector, DetectorSettings, Scorer, Threshold, error_vectors
from lstmlab.tasks.series.change_forecasts import ChangeForecasts
from lstmlab.tasks.series.linear_part import LinearPart
from lstmlab.tasks.series.series_info import SeriesInfo, SeriesValues
from lstmlab.tasks.series.splits import Spans
from lstmlab.tasks.task import Plot, Predictor, from_data_section


@register_task(
    "anomaly",
    title="flag what a forecaster did not expect: an electrocardiogram, the Numenta benchmark or a CSV file",
    data="21 s of an ECG with one premature beat, embedded (MIT-BIH, ODC-By 1.0; from sktime, BSD); source=nab by "
    "download (Numenta anomaly benchmark, MIT); data.file=my.csv",
    paper="Malhotra et al. 2015, LSTM-AD (ESANN); smoothed as by Hundman et al. 2018, arXiv:1802.04431",
    published="none by these measures: NAB publishes a score of its own, over all 58 series together",
)
@dataclasses.dataclass(frozen=True)
class Anomaly(ChangeForecasts):
    """A model trained on the normal beginning of a series forecasts every row from those before it.

    **Protocol.** The first ``train_share`` of the rows is the training part: its first 80 % train, the rest stops
    training early. Scaler, mean and covariance of the errors, and the threshold see the training part alone; the rows
    after it are the test, on which nothing is fitted. For NAB that part is its probationary period, the first 15 % but
    at most 750 rows. Rows of the training part that are labelled anomalous do not count for errors and threshold.

    **Forecast.** At every row the model gives the next ``horizon`` rows, as differences to the row it has just read.
    Rows are scaled by the training part. The series is read in windows of ``context + steps`` rows; the outputs of the
    last ``steps`` count, so each forecast has seen at least ``context`` rows, and every row is forecast once from each
    distance. With ``linear`` the model forecasts what a linear map of the last ``context`` rows leaves; that map is
    fitted before, and is the baseline of this name.

    **Score.** The Mahalanobis distance of a row's errors (Malhotra et al. 2015), see
    :class:`~lstmlab.tasks.series.anomaly_scores.Scorer`; rows above the threshold are flagged.

    **Measures.** ``mse`` is that of the scaled forecasts, by which cells are compared and runs stopped: it needs no
    labels. After training the test rows are scored: ``auprc`` (area under the precision–recall curve over rows),
    precision and recall of whole windows, false alarms, delay (see :mod:`lstmlab.tasks.series.anomaly.metrics`). The
    baselines of these measures are simple detectors: persistence, moving average, moving and robust seasonal z-score,
    and an isolation forest, each with a scorer and threshold fitted in the same way.

    **What the labels are worth.** Wu & Keogh 2021 (arXiv:2009.13807) show that many of NAB's labels are wrong, missing
    or placed generously (its windows together are a tenth of each file, centred on the event, so that they begin
    before it can be seen), and that single lines of code solve much of it. Compare detectors on one series by several
    measures, and look at the plot. The ECG has one window: its recall is 0 or 1.
    """

    source: str = setting("auto", "the series; auto: data.file, or else ecg", choices=("auto", "ecg", "nab", "file"))
    series: str = setting(NYC_TAXI, "source=nab: which file of the benchmark, as FOLDER/NAME", choices=())
    train_share: float = setting(
        0.0, "share of the rows that is the training part; 0: ecg 0.6, file 0.5, nab 0.15 and at most 750 rows",
        minimum=0,
    )  # fmt: skip
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

    data_label: str | None = from_data_section("label")

    reference_value = 0.0  # the perfect one
    defaults = (
        "model.hidden_size=32", "training.steps=2000", "training.batch_size=32", "training.eval_batch_size=64",
        "training.log_every=50", "training.eval_every=50", "training.patience=10",
    )  # fmt: skip

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for options that do not fit each other."""
        self.series_settings.check()
        if self.rule == "quantile" and not 0 < self.level < 1:
            raise ValueError(f"task.level is {self.level}, but with task.rule=quantile must be between 0 and 1")

    @property
    def series_settings(self) -> AnomalySeriesSettings:
        """The options on which the series depends."""
        return AnomalySeriesSettings(
            self.table_options, self.data_label, self.data_dir, self.source, self.series, self.train_share,
            self.context, self.horizon,
        )  # fmt: skip

    @functools.cached_property
    def labelled(self) -> LabelledSeries:
        """The series; raises ``DataError`` when it cannot be read."""
        return self.series_settings.load()

    @functools.cached_property
    def splits(self) -> SplitSeries:
        """The series with its splits; raises ``DataError`` when it is too short."""
        return split_series(self.labelled, self.series_settings)

    @property
    def spans(self) -> Spans:
        """The rows that each split forecasts."""
        return self.splits.spans

    @functools.cached_property
    def info(self) -> SeriesInfo:
        """Names, scaler and time step: of the series, or as the run directory holds them."""
        return self.splits.info()

    @functools.cached_property
    def scaled(self) -> SeriesValues:
        """The series as z-scores, float64."""
        return self.info.scaler.scale(self.labelled.values)

    @functools.cached_property
    def scorer(self) -> Scorer | None:
        """The scorer of a run that is loaded; None before there is a trained model."""
        return None

    def baselines(self) -> dict[str, float]:
        """Squared errors on the test rows of simple forecasts."""
        return simple_forecast_errors(self.scaled, self.splits.spans, self.context, self.horizon)

    def other_baselines(self) -> dict[str, dict[str, float]]:
        """For each detection measure the values of the simple detectors."""
        labels, end, settings = self.labelled.labels, self.splits.train_end, self.detector_settings
        return detection_baselines(self.scaled, labels, self.context, end, settings, season_of(self.info.step, end))

    @property
    def detector_settings(self) -> DetectorSettings:
        """By default from the rows that stopped training early, as errors on rows of training itself are smaller."""
        first = self.splits.spans["validation"][0] if self.fitted_on == "validation" else 0
        return DetectorSettings((first, self.splits.train_end), self.smoothing, Threshold(self.rule, self.level))

    def detector(self, predictor: Predictor) -> Detector:
        """The detector that a trained model gives."""
        errors = self.model_errors(predictor, self.scaled)
        return Detector.fit(errors, self.labelled.labels, self.detector_settings)

    def model_errors(self, predictor: Predictor, scaled: SeriesValues) -> Float[np.ndarray, "rows errors"]:
        """The errors of all forecasts of each row; NaN in the first context + horizon − 1 rows."""
        return error_vectors(self.forecasts(predictor, scaled), scaled)

    def final_metrics(self, predictor: Predictor) -> dict[str, float]:
        """The detection measures on the test rows; without labels the share of rows flagged."""
        detector, test_scores = self.detector(predictor), slice(self.splits.train_end, None)
        return detection_metrics(self.splits.test_labels, detector.scores[test_scores], detector.scorer.threshold)

    def artifacts(self) -> dict[str, Any]:
        """Names, scaler and time step, which are needed to score another file."""
        linear = {} if self.linear_part is None else {"linear": self.linear_part.to_plain()}
        return self.info.to_plain() | linear

    def fitted_artifacts(self, predictor: Predictor) -> dict[str, Any]:
        """The scorer with its threshold."""
        return {"scorer": self.detector(predictor).scorer.to_plain()}

    def with_artifacts(self, artifacts: Mapping[str, Any]) -> Anomaly:
        """The same task, which need not read its series to score another."""
        twin = dataclasses.replace(self)
        # The values of the cached properties.
        object.__setattr__(twin, "info", SeriesInfo.from_plain(artifacts))
        linear = LinearPart.from_plain(artifacts["linear"]) if self.linear else None
        object.__setattr__(twin, "linear_part", linear)
        object.__setattr__(twin, "scorer", Scorer.from_plain(artifacts["scorer"]))
        return twin

    def plot(self, predictor: Predictor) -> list[Plot]:
        """The series with its labelled windows, above the score and its threshold."""
        from lstmlab.tasks.series.anomaly.plots import detection_plots  # slow to import: matplotlib

        return detection_plots(self.labelled, self.detector(predictor), self.splits.train_end, self.context)
