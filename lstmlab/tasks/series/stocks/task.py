"""S&P 500: forecast the next day's return from the days before it."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from lstmlab.arrays import RowNumbers, Scalar
from lstmlab.settings import setting
from lstmlab.tasks.batching import RowsTask
from lstmlab.tasks.registry import register_task
from lstmlab.tasks.series.stocks.baselines import direction_accuracies, linear_error, return_errors
from lstmlab.tasks.series.stocks.dataset import SPLITS, Prices, ReturnsTable, load_sp500, returns_table, split_days
from lstmlab.tasks.task import Batch, Features, Metrics, Plot, Predictor, Split, mean, weighted

LONGEST_WINDOW = 1000


@register_task(
    "stocks",
    title="next day's return of the S&P 500",
    data="S&P 500 by day, 1999–2018, embedded (from the package arch, NCSA licence)",
    paper="protocol after Fischer & Krauss 2018: returns, no look-ahead, walk-forward test",
)
@dataclasses.dataclass(frozen=True)
class Stocks(RowsTask):
    """One step ahead on daily log returns r_t = ln(close_t / close_{t−1}).

    The model reads the days t − window + 1 … t and gives two numbers for day t + 1: the return,
    standardised by mean and deviation of the training split, and the logit of "the index rises"::

        loss = (r̂ − r)² + direction_weight · BCE(logit, r > 0)

    **No look-ahead.** Splits are by the day that is forecast: the first 70 % of days train, the
    next 15 % validate, the last 15 % test. Windows of the test may reach back into validation days,
    which come before them. Features of a day are known at its close, and scalers see training days
    only. The test walks forward: every day in order, each from the window just before it.

    **Why not prices?** A forecast of tomorrow's price that merely repeats today's is off by less
    than one percent, and its plot looks perfect: a curve one day late. Errors and R² of price
    levels therefore tell nothing. As returns, that forecast (price persistence) is ``zero return``,
    which a model must beat to have learned anything; few do. Without look-ahead an LSTM gets 51 to
    52 % of directions right; ``always up`` is right on 53.8 % of the days of this test period.
    """

    window: int = setting(50, "days that a forecast looks back on", minimum=1)
    features: str = setting(
        "all",
        "all: return, intraday range, change of volume; return: alone",
        choices=("all", "return"),
    )
    direction_weight: float = setting(1.0, "weight of the direction's cross-entropy", minimum=0)

    metric = "mse"
    reference_value = 0.0  # the perfect one
    readout = "last"
    defaults = (
        "model.hidden_size=32", "dropout.layer=0.2", "training.steps=1000", "training.batch_size=64",
        "training.log_every=50", "training.eval_every=50", "training.patience=8",
    )  # fmt: skip

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for windows that leave too few training days."""
        if self.window > LONGEST_WINDOW:
            raise ValueError(
                f"task.window={self.window} is too long: the training split has about 3500 days, "
                f"of which a window may take {LONGEST_WINDOW}"
            )

    @functools.cached_property
    def prices(self) -> Prices:
        """The index, day by day."""
        return load_sp500()

    @functools.cached_property
    def table(self) -> ReturnsTable:
        """Features and returns of all days but the first."""
        return returns_table(self.prices)

    @property
    def inputs(self) -> Features:
        """Standardised features of a day."""
        return Features(3 if self.features == "all" else 1)

    @property
    def outputs(self) -> Features:
        """The standardised return of the next day, and the logit of a rise."""
        return Features(2)

    def span(self, split: Split) -> tuple[int, int]:
        """First day and end of the days that a split forecasts; training starts after the first window."""
        first, end = split_days(split, len(self.table.returns))
        return max(first, self.window), end

    def data(self) -> dict[str, dict[str, np.ndarray]]:
        """For each split ``features [rows + window − 1, size]`` and ``targets [rows, 2]``.

        Row i forecasts ``targets[i]``, the return and whether the index rises (1 or 0), from
        ``features[i : i + window]``.
        """
        table = self.table
        targets = np.stack([table.standardised, table.returns > 0], axis=1).astype(np.float32)
        splits = {}
        for split in SPLITS:
            first, end = self.span(split)
            seen = table.features[first - self.window : end - 1, : self.inputs.size]
            splits[split] = {"features": seen, "targets": targets[first:end]}
        return splits

    def rows(self, split: Split) -> int:
        """Days that the split forecasts."""
        first, end = self.span(split)
        return end - first

    def windows(self, data: Mapping[str, ArrayLike], rows: RowNumbers) -> Batch:
        """Inputs ``[batch, window, size]`` and targets ``[batch, 2]`` of some days of a split."""
        days = rows[:, None] + jnp.arange(self.window)
        return Batch(jnp.asarray(data["features"])[days], jnp.asarray(data["targets"])[rows])

    pick = windows

    def loss(self, outputs: Float[Array, "batch 2"], batch: Batch) -> Scalar:
        """Squared error of the return plus the weighted cross-entropy (nats) of the direction."""
        logit, rise = outputs[:, 1], batch.targets[:, 1]
        nats = jax.nn.softplus(logit) - logit * rise
        square = (outputs[:, 0] - batch.targets[:, 0]) ** 2
        return mean(weighted(square + self.direction_weight * nats, batch))

    def metrics(self, outputs: Float[Array, "batch 2"], batch: Batch) -> Metrics:
        """Errors of the standardised return, the absolute one also in percent per day; share of right directions."""
        error = outputs[:, 0] - batch.targets[:, 0]
        right = (outputs[:, 1] > 0) == (batch.targets[:, 1] > 0.5)
        return {
            "mse": weighted(error**2, batch),
            "mae": weighted(jnp.abs(error), batch),
            "mae_percent": weighted(100 * self.table.std * jnp.abs(error), batch),
            "direction_accuracy": weighted(right.astype(jnp.float32), batch),
        }

    def baselines(self) -> dict[str, float]:
        """Squared errors of price persistence, the training mean, the last return and ridge regression; best first."""
        values = return_errors(self.table, *self.span("test"))
        spans = {split: self.span(split) for split in SPLITS}
        values["ridge regression"] = linear_error(self.table, self.window, self.inputs.size, spans)
        return dict(sorted(values.items(), key=lambda item: item[1]))

    def other_baselines(self) -> dict[str, dict[str, float]]:
        """Share of right directions: a rise every day, and the last day's direction again."""
        return {"direction_accuracy": direction_accuracies(self.table, *self.span("test"))}

    def plot(self, predictor: Predictor) -> list[Plot]:
        """Closes and returns of the last test days, and how sure the share of right directions is."""
        from lstmlab.tasks.series.stocks.plots import stock_plots  # slow to import: matplotlib

        data = self.data()["test"]
        batch = self.windows(data, jnp.arange(len(data["targets"])))
        outputs = np.asarray(predictor.predict(batch), np.float64)
        return stock_plots(self.prices, self.table, outputs, data["targets"][:, 1] > 0.5)
