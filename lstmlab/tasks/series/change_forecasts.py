"""Forecasts of a series at every row: how much the next rows differ from it."""

from __future__ import annotations

import abc
import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from lstmlab.arrays import Key, RowNumbers, Scalar, Step
from lstmlab.settings import setting
from lstmlab.tasks.series.linear_forecasters import change_reader, linear_weights
from lstmlab.tasks.series.linear_part import CHANGES, LinearPart
from lstmlab.tasks.series.series_info import SeriesInfo, SeriesValues
from lstmlab.tasks.series.splits import Spans
from lstmlab.tasks.series.tabular import TabularTask
from lstmlab.tasks.series.windows import change_windows, windows_of_steps
from lstmlab.tasks.task import Batch, Features, Metrics, Predictor, Split, mean, weighted


@dataclasses.dataclass(frozen=True)
class ChangeForecasts(TabularTask):
    """Base of tasks whose model gives, at every row, the differences from it to each of the next ``horizon`` rows."""

    context: int = setting(100, "rows that a forecast looks back on at least", minimum=1)
    steps: int = setting(50, "rows per window whose forecasts count", minimum=1)
    horizon: int = setting(3, "rows forecast at each step, so forecasts of each row", minimum=1)
    linear: bool = setting(
        False, "forecast what a linear map of the context, fitted by least squares, leaves", choices=(False, True)
    )

    metric = "mse"
    readout = "steps"
    causal = True

    @property
    @abc.abstractmethod
    def info(self) -> SeriesInfo:
        """Names, scaler and time step."""

    @property
    @abc.abstractmethod
    def scaled(self) -> SeriesValues:
        """The series as z-scores, float64."""

    @property
    @abc.abstractmethod
    def spans(self) -> Spans:
        """The rows that each split forecasts."""

    @functools.cached_property
    def linear_part(self) -> LinearPart | None:
        """The linear part of the forecasts: fitted on the series, or as the run directory holds it."""
        if not self.linear:
            return None
        read = change_reader(self.context)
        return LinearPart(CHANGES, linear_weights(read, self.scaled, self.spans, self.context, self.horizon))

    @property
    def inputs(self) -> Features:
        """The scaled values of a row."""
        return Features(len(self.info.names))

    @property
    def outputs(self) -> Features:
        """The change from this row to each of the next ``horizon``, all columns of the first, then of the second, …"""
        return Features(self.horizon * len(self.info.names))

    def data(self) -> dict[str, SeriesValues]:
        """The scaled rows of each split, with the context before the first."""
        scaled, spans = self.scaled.astype(np.float32), self.spans
        return {split: scaled[max(first - self.context, 0) : end] for split, (first, end) in spans.items()}

    def origins(self, rows: int) -> int:
        """How many rows of a split's data have enough rows before and after them to forecast from."""
        return rows - self.context - self.horizon + 1

    def train_batch(self, data: Float[Array, "rows columns"], key: Key, step: Step, batch_size: int) -> Batch:
        """Windows drawn at random."""
        starts = jax.random.randint(key, (batch_size,), 0, max(self.origins(data.shape[0]) - self.steps + 1, 1))
        return self.windows(data, starts)

    def rows(self, split: Split) -> int:
        """How many windows side by side forecast every row once from each distance."""
        first, end = self.spans[split]
        return -(-self.origins(end - max(first - self.context, 0)) // self.steps)

    def pick(self, data: Float[Array, "rows columns"], rows: RowNumbers) -> Batch:
        """Some of the windows that lie side by side."""
        return self.windows(data, self.steps * rows)

    def windows(self, data: Float[Array, "rows columns"], starts: RowNumbers) -> Batch:
        """The windows that begin at ``starts``, see :func:`~lstmlab.tasks.series.windows.change_windows`; with
        ``linear`` the changes that the map forecasts stand behind the true ones."""
        batch = change_windows(jnp.asarray(data), starts, self.context, self.steps, self.horizon)
        if self.linear_part is None:
            return batch
        changes = self.linear_part.of_columns(windows_of_steps(batch.inputs, self.context))
        return batch._replace(
            targets=jnp.concatenate([batch.targets, changes.reshape(*changes.shape[:2], -1)], axis=-1)
        )

    def changes(self, outputs: Float[Array, "batch time numbers"], batch: Batch) -> Float[Array, "batch steps numbers"]:
        """The forecast changes of the steps that count, those of the linear part included."""
        changes = outputs[:, self.context - 1 :]
        return changes if self.linear_part is None else changes + batch.targets[..., 1 + self.outputs.size :]

    def loss(self, outputs: Float[Array, "batch time numbers"], batch: Batch) -> Scalar:
        """The mean squared error of the forecasts that count."""
        return mean(self.metrics(outputs, batch)["mse"])

    def metrics(self, outputs: Float[Array, "batch time numbers"], batch: Batch) -> Metrics:
        """Squared and absolute error of scaled forecasts, over all distances, and the squared one of the next row."""
        counts, truth = batch.targets[..., :1], batch.targets[..., 1 : 1 + self.outputs.size]
        error = self.changes(outputs, batch) - truth
        return {
            "mse": _counted(error**2, counts, batch),
            "mae": _counted(jnp.abs(error), counts, batch),
            "next_mse": _counted(error[..., : self.inputs.size] ** 2, counts, batch),
        }

    def forecasts(self, predictor: Predictor, scaled: SeriesValues) -> Float[np.ndarray, "rows horizon columns"]:
        """``[t, k]`` is the forecast of row t + 1 + k, from at least ``context`` rows up to t; NaN before that."""
        rows, columns = scaled.shape
        forecasts = np.full((rows, self.horizon, columns), np.nan)
        starts = np.arange(0, rows - self.context + 1, self.steps)
        batch = self.windows(jnp.asarray(scaled, jnp.float32), jnp.asarray(starts))
        outputs = np.asarray(self.changes(predictor.predict(batch), batch), np.float64)
        changes = outputs.reshape(-1, self.horizon, columns)[: rows - self.context + 1]
        forecasts[self.context - 1 :] = scaled[self.context - 1 :, None] + changes
        return forecasts


def _counted(values: Array, counts: Array, batch: Batch) -> tuple[Array, Array]:
    """Total and weight of the values that count."""
    total, _ = weighted(values * counts, batch)
    weight, _ = weighted(jnp.broadcast_to(counts, values.shape), batch)
    return total, weight
