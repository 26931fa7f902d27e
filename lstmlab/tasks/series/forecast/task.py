"""Forecasting: the next values of a series, several steps ahead, with their uncertainty."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from lstmlab.arrays import RowNumbers, Scalar
from lstmlab.settings import setting
from lstmlab.tasks.registry import register_task
from lstmlab.tasks.series.distributions import OUTPUTS, Prediction, pinball_loss, prediction_loss, read_prediction
from lstmlab.tasks.series.forecast.baselines import FittedBaselines, boosted_error, fitted_baselines
from lstmlab.tasks.series.forecast.dataset import (
    DATASETS,
    ForecastInfo,
    ForecastSeriesSettings,
    PreparedSeries,
    prepare_series,
)
from lstmlab.tasks.series.tabular import TabularTask
from lstmlab.tasks.series.windows import LAST, SCALE, SHIFT, TRUTH, forecast_windows
from lstmlab.tasks.task import Batch, Features, Metrics, Plot, Predictor, Split, mean, weighted

MOST_PLOTTED = 4  # baselines, the best ones
CHUNK = 256  # windows that are forecast at once for the plots


@register_task(
    "forecast",
    title="several steps ahead on a series: weather, traffic, ETT or a CSV file",
    data="Seattle's weather (public domain) and motorway traffic (CC BY 4.0), embedded; dataset=ETTh1|ETTh2|ETTm1|"
    "ETTm2 by download (CC BY-ND 4.0); data.file=my.csv",
    paper="protocol after Zhou et al. 2021 (Informer), arXiv:2012.07436; DLinear: Zeng et al. 2023, arXiv:2205.13504",
    published="dataset=ETTh1 horizon=24, z-scored, stride-1 windows (Zhou et al. 2021): mse of features=S LSTMa 0.114, "
    "Informer 0.098; of features=M LSTMa 0.650, Informer 0.577",
)
@dataclasses.dataclass(frozen=True)
class Forecast(TabularTask):
    """From the last ``window`` rows, the next ``horizon`` rows; every window of a split counts once (stride 1).

    **Splits** are by time: ETT 12/4/4 months of 30 days, other series 70/10/20 % of the rows, or walk-forward folds.
    The rows that are forecast lie inside the split; a window may reach back into rows before it. The scaler is fitted
    on the training rows only, and errors are those of the scaled values (z-scores), as in the literature on long
    horizons.

    **Normalisation** takes the level out of each window before the model reads it, and puts it back into the forecast:
    ``last`` subtracts the window's last value (NLinear, Zeng et al. 2023), ``window`` its mean and divides by its
    standard deviation (RevIN without its affine map, Kim et al. 2022). Without it a recurrent network must carry the
    level through its state, and loses to persistence when the test period lies on another level than training.

    **Baselines** read what the model reads: persistence; drift, the line through the window's ends; seasonal naive;
    DLinear and NLinear, fitted by least squares; gradient-boosted lags. With ``calendar`` also climatology, the mean of
    a time of the week (for steps of a day or more, of a month), the same with a linear map of the differences from it,
    and a linear map with calendar and other columns. MASE divides by the mean absolute error of the seasonal naive
    forecast one season ahead within the training rows; a series that repeats itself exactly has none.

    **A file of your own**: ``data.file=my.csv data.target=COLUMN``; see the keys of the section ``data``.
    """

    dataset: str = setting("auto", "auto: data.file, or else weather", choices=("auto", *DATASETS))
    window: int = setting(30, "rows that a forecast looks back on", minimum=2)
    horizon: int = setting(7, "rows to forecast", minimum=1)
    features: str = setting(
        "S", "S: the target from itself; MS: the target from all columns; M: all from all", choices=("S", "MS", "M")
    )
    strategy: str = setting(
        "direct",
        "direct: all steps at once; recursive: one step, fed back for the next (features S or M)",
        choices=("direct", "recursive"),
    )
    distribution: str = setting("point", "form of the forecast of each value", choices=tuple(OUTPUTS))
    interval: float = setting(0.9, "probability of the interval of quantile and gaussian; below 1", minimum=0.01)
    normalise: str = setting("last", "what is taken out of each window", choices=("last", "window", "none"))
    calendar: bool = setting(False, "also read time of day, day of week and day of year", choices=(False, True))
    season: int = setting(0, "rows of a season; 0: as the data set or the step between rows suggests", minimum=0)
    fold: int = setting(0, "which fold of task.folds is the test", minimum=0)
    folds: int = setting(1, "walk-forward folds over the last half of the series; 1: the usual splits", minimum=1)

    metric = "mse"
    reference_value = 0.0  # the perfect one: published values of ETTh1 are above the least-squares baselines
    readout = "last"
    defaults = (
        "model.hidden_size=64", "training.steps=1000", "training.batch_size=64", "training.eval_batch_size=256",
        "training.log_every=50", "training.eval_every=50", "training.patience=8",
    )  # fmt: skip

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for options that do not fit each other."""
        if self.interval >= 1:
            raise ValueError(f"task.interval is {self.interval}, but must be below 1")
        self.series_settings.check()
        if self.strategy == "recursive" and self.features == "MS":
            raise ValueError("task.strategy=recursive feeds back what it forecasts: it needs task.features=S or M")

    @property
    def architecture(self) -> str:  # type: ignore[override]
        """A sequence model; with the recursive strategy one whose forecasts are fed back."""
        return "recursive" if self.strategy == "recursive" else "sequence"

    @property
    def series_settings(self) -> ForecastSeriesSettings:
        """The options on which the series depends."""
        return ForecastSeriesSettings(
            self.table_options, self.data_dir, self.dataset, self.features, self.window, self.horizon, self.calendar,
            self.season, self.fold, self.folds,
        )  # fmt: skip

    @functools.cached_property
    def prepared(self) -> PreparedSeries:
        """The scaled and split series; raises ``DataError`` when it cannot be read."""
        return prepare_series(self.series_settings)

    @functools.cached_property
    def info(self) -> ForecastInfo:
        """Names, scaler and time step: of the series, or as the run directory holds them."""
        return self.prepared.info

    @property
    def inputs(self) -> Features:
        """The columns of a row, scaled and normalised, then the calendar."""
        return Features(len(self.info.names) + (self.info.calendar_size() if self.calendar else 0))

    @property
    def outputs(self) -> Features:
        """For each row ahead and each column, the numbers of the distribution."""
        return Features(OUTPUTS[self.distribution], (self.horizon, len(self.info.targets)))

    def data(self) -> dict[str, Float[np.ndarray, "rows features"]]:
        """The rows of each split, with the window before the first."""
        rows, spans = self.prepared.rows, self.prepared.spans
        return {split: rows[max(first - self.window, 0) : end] for split, (first, end) in spans.items()}

    def origins(self, split: Split) -> Int[np.ndarray, " windows"]:
        """The rows of the series at which forecasts of a split begin."""
        first, end = self.prepared.spans[split]
        return np.arange(max(first, self.window), end - self.horizon + 1)

    def rows(self, split: Split) -> int:
        """How many windows a split has; they are one row of the series apart."""
        return len(self.origins(split))

    def windows(self, data: Float[Array, "rows features"], rows: RowNumbers) -> Batch:
        """The windows that begin at ``rows`` of ``data``."""
        return self.batch_of(jnp.asarray(data)[rows[:, None] + jnp.arange(self.window + self.horizon)])

    pick = windows

    def batch_of(self, rows: Float[Array, "batch rows features"]) -> Batch:
        """A batch from the rows of windows, ``[batch, window + horizon, features]``; see
        :func:`~lstmlab.tasks.series.windows.forecast_windows`.

        The values of the rows ahead are in the targets alone; only the recursive strategy reads their calendar.
        """
        ahead = self.horizon if self.strategy == "recursive" else 1
        return forecast_windows(rows, self.window, ahead, len(self.info.names), self.info.targets, self.normalise)

    def prediction(self, outputs: Float[Array, "batch horizon columns numbers"], batch: Batch) -> Prediction:
        """The forecast in z-scores."""
        shift, scale = batch.targets[:, SHIFT, None], batch.targets[:, SCALE, None]
        return read_prediction(outputs, self.distribution, self.interval, shift, scale)

    def loss(self, outputs: Float[Array, "batch horizon columns numbers"], batch: Batch) -> Scalar:
        """The mean loss of the distribution, see :mod:`lstmlab.tasks.series.distributions`."""
        prediction, truth = self.prediction(outputs, batch), batch.targets[:, TRUTH:]
        return mean(weighted(prediction_loss(prediction, truth, self.distribution, self.interval), batch))

    def metrics(self, outputs: Float[Array, "batch horizon columns numbers"], batch: Batch) -> Metrics:
        """Errors of the point forecast, share of right directions (above the last value or not), and of an interval
        the share of values inside (coverage) and its mean width.
        """
        prediction = self.prediction(outputs, batch)
        truth, last = batch.targets[:, TRUTH:], batch.targets[:, LAST, None]
        error = jnp.abs(prediction.point - truth)
        right = (prediction.point > last) == (truth > last)
        values = {"mse": error**2, "mae": error, "direction_accuracy": right.astype(jnp.float32)}
        if self.fitted_baselines.scale is not None:
            values["mase"] = error / jnp.asarray(self.fitted_baselines.scale, jnp.float32)
        if prediction.lower is not None and prediction.upper is not None:
            inside = (prediction.lower <= truth) & (truth <= prediction.upper)
            values["coverage"] = inside.astype(jnp.float32)
            values["interval_width"] = prediction.upper - prediction.lower
            values["pinball"] = pinball_loss(prediction, truth, self.interval)
        if prediction.std is not None:
            values["nll"] = prediction_loss(prediction, truth, self.distribution, self.interval)
        return {name: weighted(value, batch) for name, value in values.items()}

    @functools.cached_property
    def fitted_baselines(self) -> FittedBaselines:
        """The baselines, fitted on the training rows."""
        return fitted_baselines(self.prepared, self.horizon, self.window)

    def baselines(self) -> dict[str, float]:
        """Squared errors on the test split; best first."""
        return self._baseline_errors("mse")

    def slow_baselines(self) -> dict[str, float]:
        """The squared error of boosted trees, where scikit-learn is installed."""
        return boosted_error(self.prepared, self.horizon, self.window, self.origins("test"))

    def other_baselines(self) -> dict[str, dict[str, float]]:
        """The other errors; persistence has no direction."""
        mase = () if self.fitted_baselines.scale is None else ("mase",)
        others = {metric: self._baseline_errors(metric) for metric in ("mae", *mase, "direction_accuracy")}
        others["direction_accuracy"].pop("persistence")
        return others

    def _baseline_errors(self, metric: str) -> dict[str, float]:
        errors = self.fitted_baselines.errors(self.origins("test"))
        values = {name: metrics[metric] for name, metrics in errors.items()}
        return dict(sorted(values.items(), key=lambda item: item[1], reverse=metric == "direction_accuracy"))

    def artifacts(self) -> dict[str, Any]:
        """Names, scaler and time step, which are needed to forecast another file."""
        return self.info.to_plain()

    def with_artifacts(self, artifacts: Mapping[str, Any]) -> Forecast:
        """The same task, which need not read its series to know them."""
        twin = dataclasses.replace(self)
        object.__setattr__(twin, "info", ForecastInfo.from_plain(artifacts))  # the value of the cached property
        return twin

    def predict_test(self, predictor: Predictor) -> Prediction:
        """Forecasts from all origins of the test split, ``[origins, horizon, columns]``, float64 z-scores."""
        data, count = jnp.asarray(self.data()["test"]), self.rows("test")
        parts = []
        for begin in range(0, count, CHUNK):
            # The last batch is filled up, so that one compiled program is enough.
            rows = np.resize(np.arange(begin, min(begin + CHUNK, count)), min(CHUNK, count))
            batch = self.windows(data, jnp.asarray(rows))
            parts.append(self.prediction(predictor.predict(batch), batch))
        return jax.tree.map(lambda *arrays: np.concatenate(arrays).astype(np.float64)[:count], *parts)

    def plot(self, predictor: Predictor) -> list[Plot]:
        """Forecasts beside the truth, and errors by lead time."""
        from lstmlab.tasks.series.forecast.plots import ComparedForecasts, forecast_plots  # slow to import: matplotlib

        origins, series = self.origins("test"), self.prepared.scaled_targets
        forecasters, best = self.fitted_baselines.forecasters, list(self.baselines())[:MOST_PLOTTED]
        compared = ComparedForecasts(
            prediction=self.predict_test(predictor),
            baselines={name: forecasters[name](series, origins) for name in best},
            origins=origins,
            series=series,
            names=self.info.target_names,
            scaler=self.info.scaler.of(self.info.targets),
            times=self.prepared.table.local_times,
            interval=self.interval,
            title=self.series_settings.title,
        )
        return forecast_plots(compared)
