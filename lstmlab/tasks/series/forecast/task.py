"""Forecasting: the next values of a series, several steps ahead, with their uncertainty."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from lstmlab.arrays import RowNumbers, Scalar
from lstmlab.tasks.registry import register_task
from lstmlab.tasks.series.distributions import OUTPUTS, Prediction, prediction_loss, read_prediction
from lstmlab.tasks.series.forecast.baselines import FittedBaselines, boosted_error, fitted_baselines, fitted_linear
from lstmlab.tasks.series.forecast.dataset import ForecastInfo, PreparedSeries, prepare_series
from lstmlab.tasks.series.forecast.metrics import forecast_errors
from lstmlab.tasks.series.forecast.options import ForecastOptions
from lstmlab.tasks.series.linear_part import LinearPart
from lstmlab.tasks.series.windows import (
    LAST,
    SCALE,
    SHIFT,
    TRUTH,
    forecast_windows,
    in_chunks,
    less_means,
    with_level,
)
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
class Forecast(ForecastOptions):
    """From the last ``window`` rows, the next ``horizon`` rows; every window of a split counts once (stride 1).

    **Splits** are by time: ETT 12/4/4 months of 30 days, other series 70/10/20 % of the rows, or walk-forward folds.
    The rows that are forecast lie inside the split; a window may reach back into rows before it. The scaler is fitted
    on the training rows only, and errors are those of the scaled values (z-scores), as in the literature on long
    horizons.

    **Normalisation** takes the level out of each window before the model reads it, and puts it back into the forecast,
    see :func:`~lstmlab.tasks.series.windows.forecast_windows`. Without it a recurrent network must carry the level
    through its state, and loses to persistence when the test period lies on another level than training.

    **Beside the network**, ``climatology`` takes the mean of each time of the week out of the columns that are forecast
    and adds it again, and ``linear`` adds the forecast of a linear map of the window (of the differences; or with
    ``calendar`` or other columns of all of these; else NLinear), so that the network forecasts what these leave (Zhang
    2003; the highway of LSTNet, Lai et al. 2018). Both are fitted on the training rows, before the network.

    **Baselines** read what the model reads: persistence; drift, the line through the window's ends; seasonal naive;
    DLinear and NLinear, fitted by least squares; gradient-boosted lags. With ``calendar`` also climatology, the mean of
    a time of the week (for steps of a day or more, of a month), the same with a linear map of the differences from it,
    and a linear map with calendar and other columns. MASE divides by the mean absolute error of the seasonal naive
    forecast one season ahead within the training rows; a series that repeats itself exactly has none.

    **A file of your own**: ``data.file=my.csv data.target=COLUMN``; see the keys of the section ``data``.
    """

    metric = "mse"
    reference_value = 0.0  # the perfect one: published values of ETTh1 are above the least-squares baselines
    readout = "last"
    defaults = (
        "model.hidden_size=64", "training.steps=1000", "training.batch_size=64", "training.eval_batch_size=256",
        "training.log_every=50", "training.eval_every=50", "training.patience=8",
    )  # fmt: skip

    @property
    def architecture(self) -> str:  # type: ignore[override]
        """A sequence model; with the recursive strategy one whose forecasts are fed back."""
        return "recursive" if self.strategy == "recursive" else "sequence"

    @functools.cached_property
    def prepared(self) -> PreparedSeries:
        """The scaled and split series; raises ``DataError`` when it cannot be read."""
        return prepare_series(self.series_settings)

    @functools.cached_property
    def info(self) -> ForecastInfo:
        """Names, scaler and time step: of the series, or as the run directory holds them."""
        return self.prepared.info

    @functools.cached_property
    def linear_part(self) -> LinearPart | None:
        """The linear part of the forecasts: fitted on the series, or as the run directory holds it."""
        return fitted_linear(self.prepared, self.horizon, self.window) if self.linear else None

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
        :mod:`~lstmlab.tasks.series.windows`.

        The values of the rows ahead are in the targets alone; only the recursive strategy reads their calendar.
        """
        ahead = self.horizon if self.strategy == "recursive" else 1
        columns, targets = len(self.info.names), self.info.targets
        read, means = rows[..., : self.inputs.size], rows[..., self.inputs.size :]
        read = less_means(read, means, targets)
        batch = forecast_windows(read, self.window, ahead, columns, targets, self.normalise)
        if self.linear_part is not None:
            level = self.linear_part.of_windows(read[:, : self.window], columns, targets, self.horizon)
        elif self.climatology:
            level = batch.targets[:, SHIFT, None]
        else:
            return batch
        return with_level(batch, level, means, self.horizon)

    def prediction(self, outputs: Float[Array, "batch horizon columns numbers"], batch: Batch) -> Prediction:
        """The forecast in z-scores."""
        level, scale = batch.targets[:, TRUTH + self.horizon :], batch.targets[:, SCALE, None]
        shift = level if level.shape[1] else batch.targets[:, SHIFT, None]
        return read_prediction(outputs, self.distribution, self.interval, shift, scale)

    def truth(self, batch: Batch) -> Float[Array, "batch horizon columns"]:
        """What the forecast is compared with, in z-scores."""
        return batch.targets[:, TRUTH : TRUTH + self.horizon]

    def loss(self, outputs: Float[Array, "batch horizon columns numbers"], batch: Batch) -> Scalar:
        """The mean loss of the distribution, see :mod:`lstmlab.tasks.series.distributions`."""
        prediction, truth = self.prediction(outputs, batch), self.truth(batch)
        return mean(weighted(prediction_loss(prediction, truth, self.distribution, self.interval), batch))

    def metrics(self, outputs: Float[Array, "batch horizon columns numbers"], batch: Batch) -> Metrics:
        """See :func:`~lstmlab.tasks.series.forecast.metrics.forecast_errors`."""
        values = forecast_errors(
            self.prediction(outputs, batch), self.truth(batch), batch.targets[:, LAST, None],
            self.fitted_baselines.scale, self.distribution, self.interval,
        )  # fmt: skip
        return {name: weighted(value, batch) for name, value in values.items()}

    @functools.cached_property
    def fitted_baselines(self) -> FittedBaselines:
        """The baselines, fitted on the training rows."""
        return fitted_baselines(self.prepared, self.horizon, self.window)

    def baselines(self) -> dict[str, float]:
        """Squared errors on the test split; best first."""
        return self.fitted_baselines.sorted_errors(self.origins("test"), "mse")

    def slow_baselines(self) -> dict[str, float]:
        """The squared error of boosted trees, where scikit-learn is installed."""
        return boosted_error(self.prepared, self.horizon, self.window, self.origins("test"))

    def other_baselines(self) -> dict[str, dict[str, float]]:
        """The other errors."""
        return self.fitted_baselines.other_errors(self.origins("test"))

    def artifacts(self) -> dict[str, Any]:
        """Names, scaler and time step, which are needed to forecast another file."""
        linear = {} if self.linear_part is None else {"linear": self.linear_part.to_plain()}
        return self.info.to_plain() | linear

    def with_artifacts(self, artifacts: Mapping[str, Any]) -> Forecast:
        """The same task, which need not read its series to know them."""
        twin = dataclasses.replace(self)
        # The values of the cached properties.
        object.__setattr__(twin, "info", ForecastInfo.from_plain(artifacts))
        linear = LinearPart.from_plain(artifacts["linear"]) if self.linear else None
        object.__setattr__(twin, "linear_part", linear)
        return twin

    def predict_test(self, predictor: Predictor) -> Prediction:
        """Forecasts from all origins of the test split, ``[origins, horizon, columns]``, float64 z-scores."""
        data = jnp.asarray(self.data()["test"])

        def predict(rows: np.ndarray) -> Prediction:
            batch = self.windows(data, jnp.asarray(rows))
            return self.prediction(predictor.predict(batch), batch)

        return in_chunks(predict, self.rows("test"), CHUNK)

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
