"""A series of which every row is forecast from those before it: where it comes from, its splits and its windows."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from lstmlab.settings import setting
from lstmlab.tasks.series.anomaly.dataset import Facts, load_labelled, split_rows, training_rows
from lstmlab.tasks.series.anomaly.labelled import Labelled
from lstmlab.tasks.series.tabular import TabularTask
from lstmlab.tasks.task import Batch, Features, Split, from_data_section

NYC_TAXI = "realKnownCause/nyc_taxi"


@dataclasses.dataclass(frozen=True)
class ForecastSeries(TabularTask):
    """Base of :class:`~lstmlab.tasks.series.anomaly.task.Anomaly`, whose text explains the options."""

    source: str = setting("auto", "the series; auto: data.file, or else ecg", choices=("auto", "ecg", "nab", "file"))
    series: str = setting(NYC_TAXI, "source=nab: which file of the benchmark, as FOLDER/NAME", choices=())
    train_share: float = setting(
        0.0,
        "share of the rows that is the training part; 0: ecg 0.6, file 0.5, nab 0.15 and at most 750 rows",
        minimum=0,
    )
    context: int = setting(100, "rows that a forecast looks back on at least", minimum=1)
    steps: int = setting(50, "rows per window whose forecasts count", minimum=1)
    horizon: int = setting(3, "rows forecast at each step, so forecasts of each row", minimum=1)

    data_label: str | None = from_data_section("label")

    def __post_init__(self) -> None:
        """Refuse options that do not fit each other; raises ``ValueError``."""
        if self.train_share >= 1:
            raise ValueError(f"task.train_share is {self.train_share}, but must be below 1: the rest is the test")
        if self.source == "file" and not self.data_file:
            raise ValueError("task.source=file needs a table: set data.file=my.csv")
        if self.chosen_source != "nab" and self.series != NYC_TAXI:
            raise ValueError(f"task.series={self.series} is set, but is of the Numenta benchmark: add task.source=nab")
        self.check_file_keys()
        for key in ("target", "label"):
            name = getattr(self, f"data_{key}")
            if name and not self.data_file:
                raise ValueError(f"data.{key}={name} is set, but is of a table: set data.file=my.csv")
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
