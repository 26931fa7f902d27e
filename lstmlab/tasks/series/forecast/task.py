"""Forecasting: the next values of a series, several steps ahead, with their uncertainty."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from lstmlab.settings import setting
from lstmlab.tasks.registry import register_task
from lstmlab.tasks.series.forecast.baselines import Yardsticks
from lstmlab.tasks.series.forecast.dataset import Facts, Frame, Recipe, check_options, make_frame
from lstmlab.tasks.series.forecast.heads import SIZES, Said, head_loss, pinball, read_head
from lstmlab.tasks.series.forecast.series import SERIES
from lstmlab.tasks.series.forecast.windows import LAST, SCALE, SHIFT, TRUTH, make_batch
from lstmlab.tasks.series.tabular import TabularTask
from lstmlab.tasks.task import Batch, Features, Metrics, Plot, Predictor, Split, mean, weighted


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
    What is forecast lies inside the split; a window may reach back into rows that are past by then. Scalers see the
    training rows only, and errors are those of the scaled values (z-scores), as in the long-horizon literature.

    **Normalisation** takes the level out of each window before the model reads it, and puts it back into the forecast:
    ``last`` subtracts the window's last value (NLinear, Zeng et al. 2023), ``window`` its mean and divides by its
    standard deviation (RevIN without its affine map, Kim et al. 2022). A recurrent network that must carry the level
    through its state otherwise loses to persistence where the test period lies on another level than training.

    **Baselines**: persistence; drift, the line through the window's ends; seasonal naive; and DLinear with the same
    window, fitted by least squares rather than by gradient descent. MASE divides by the mean absolute error of the
    seasonal naive forecast one season ahead within the training rows; a series that repeats itself exactly has none.

    **A file of one's own**: ``data.file=my.csv data.target=COLUMN``; see the keys of the section ``data``.
    """

    dataset: str = setting("auto", "auto: data.file, or else weather", choices=("auto", *SERIES))
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
    distribution: str = setting("point", "what is said of each value to come", choices=tuple(SIZES))
    interval: float = setting(0.9, "probability of the interval of quantile and gaussian; below 1", minimum=0.01)
    normalise: str = setting("last", "what is taken out of each window", choices=("last", "window", "none"))
    calendar: bool = setting(False, "also read time of day, day of week and day of year", choices=(False, True))
    season: int = setting(0, "rows of a season; 0: as the data set or the step between rows suggests", minimum=0)
    fold: int = setting(0, "which fold of task.folds is the test", minimum=0)
    folds: int = setting(1, "walk-forward folds over the last half of the series; 1: the usual splits", minimum=1)

    metric = "mse"
    readout = "last"
    defaults = (
        "model.hidden_size=64", "training.steps=1000", "training.batch_size=64", "training.eval_batch_size=256",
        "training.log_every=50", "training.eval_every=50", "training.patience=8",
    )  # fmt: skip

    def __post_init__(self) -> None:
        """Refuse options that do not fit each other; raises ``ValueError``."""
        check_options(self)

    @property
    def architecture(self) -> str:  # type: ignore[override]
        """A sequence model, whose forecasts the recursive strategy feeds back."""
        return "recursive" if self.strategy == "recursive" else "sequence"

    @functools.cached_property
    def frame(self) -> Frame:
        """The series; raises ``DataError`` where it cannot be had."""
        values = {name: getattr(self, name) for name in Recipe._fields}
        return make_frame(self, Recipe(**values))

    @functools.cached_property
    def facts(self) -> Facts:
        """Names, scaler and time step: of the series, or as the run directory kept them."""
        return self.frame.facts

    @property
    def inputs(self) -> Features:
        """The columns of a row, scaled and normalised, then the calendar."""
        return Features(len(self.facts.names) + (self.facts.calendar_size() if self.calendar else 0))

    @property
    def outputs(self) -> Features:
        """For each row ahead and each column, the numbers of the distribution."""
        return Features(SIZES[self.distribution], (self.horizon, len(self.facts.told)))

    def data(self) -> Mapping[str, Any]:
        """Per split its rows ``[rows, features]`` with the window before the first."""
        series, window = self.frame.series, self.window
        return {split: series[max(first - window, 0) : end] for split, (first, end) in self.frame.spans.items()}

    def origins(self, split: Split) -> Int[np.ndarray, " windows"]:
        """The rows of the series at which forecasts of a split begin."""
        first, end = self.frame.spans[split]
        return np.arange(max(first, self.window), end - self.horizon + 1)

    def rows(self, split: Split) -> int:
        """Windows, one row of the series apart."""
        return len(self.origins(split))

    def windows(self, data: Any, rows: Int[Array, " batch"]) -> Batch:
        """The windows that begin at rows of ``data`` ``[rows, features]``."""
        return self.batch_of(jnp.asarray(data)[rows[:, None] + jnp.arange(self.window + self.horizon)])

    pick = windows

    def batch_of(self, rows: Float[Array, "batch rows features"]) -> Batch:
        """Windows from their rows ``[batch, window + horizon, features]``, see :mod:`lstmlab.tasks.series.forecast.windows`.

        The values of the rows ahead are in the targets alone; only the recursive strategy reads their calendar.
        """
        columns, told = len(self.facts.names), self.facts.told
        ahead = self.horizon if self.strategy == "recursive" else 1
        return make_batch(rows, self.window, ahead, columns, told, self.normalise)

    def said(self, outputs: Float[Array, "batch horizon columns numbers"], batch: Batch) -> Said:
        """The forecast in z-scores."""
        shift, scale = batch.targets[:, SHIFT, None], batch.targets[:, SCALE, None]
        return read_head(outputs, self.distribution, self.interval, shift, scale)

    def loss(self, outputs: Float[Array, "batch horizon columns numbers"], batch: Batch) -> Float[Array, ""]:
        """The mean loss of the distribution, see :mod:`lstmlab.tasks.series.forecast.heads`."""
        said = self.said(outputs, batch)
        return mean(weighted(head_loss(said, batch.targets[:, TRUTH:], self.distribution, self.interval), batch))

    def metrics(self, outputs: Float[Array, "batch horizon columns numbers"], batch: Batch) -> Metrics:
        """Errors of the point forecast, share of directions right (above the last value or not), and of an interval
        the share of values inside (coverage) and its mean width.
        """
        said, truth, last = self.said(outputs, batch), batch.targets[:, TRUTH:], batch.targets[:, LAST, None]
        error = jnp.abs(said.point - truth)
        right = (said.point > last) == (truth > last)
        values = {
            "mse": error**2, "mae": error, "direction_accuracy": right.astype(jnp.float32),
        }  # fmt: skip
        if self.yardsticks.scale is not None:
            values["mase"] = error / jnp.asarray(self.yardsticks.scale, jnp.float32)
        if said.lower is not None and said.upper is not None:
            inside = (said.lower <= truth) & (truth <= said.upper)
            values |= {"coverage": inside.astype(jnp.float32), "interval_width": said.upper - said.lower}
            values |= {"pinball": pinball(said, truth, self.interval)}
        if said.std is not None:
            values |= {"nll": head_loss(said, truth, self.distribution, self.interval)}
        return {name: weighted(value, batch) for name, value in values.items()}

    @functools.cached_property
    def yardsticks(self) -> Yardsticks:
        """The baselines, fitted on the training rows."""
        frame = self.frame
        return Yardsticks(frame.scaled_targets, frame.spans["train"][1], frame.season, self.horizon, self.window)

    def baselines(self) -> dict[str, float]:
        """Squared errors on the test split; best first."""
        return self._of("mse")

    def other_baselines(self) -> dict[str, dict[str, float]]:
        """The other errors; persistence has no direction."""
        scaled = () if self.yardsticks.scale is None else ("mase",)
        others = {metric: self._of(metric) for metric in ("mae", *scaled, "direction_accuracy")}
        others["direction_accuracy"].pop("persistence")
        return others

    def _of(self, metric: str) -> dict[str, float]:
        errors = self.yardsticks.errors(self.origins("test"))
        values = {name: found[metric] for name, found in errors.items()}
        return dict(sorted(values.items(), key=lambda item: item[1], reverse=metric == "direction_accuracy"))

    def artifacts(self) -> dict[str, Any]:
        """Names, scaler and time step: what a forecast of another file needs."""
        return self.facts.plain()

    def with_artifacts(self, kept: Mapping[str, Any]) -> Forecast:
        """The same task, which need not read its series to know them."""
        twin = dataclasses.replace(self)
        object.__setattr__(twin, "facts", Facts.from_plain(kept))  # in the place of the cached property
        return twin

    def plot(self, predictor: Predictor) -> list[Plot]:
        """Forecasts beside the truth, and errors by how far ahead they look."""
        from lstmlab.tasks.series.forecast.plots import plot

        return plot(self, predictor)
