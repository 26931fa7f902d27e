"""S&P 500: forecast the next day's return from the days before it."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from lstmlab.settings import setting
from lstmlab.tasks.batching import RowsTask
from lstmlab.tasks.registry import register_task
from lstmlab.tasks.series.stocks.dataset import Prices, load_sp500
from lstmlab.tasks.series.stocks.returns import SPLITS, Table, split_days, tabulate, wilson
from lstmlab.tasks.task import Batch, Features, Metrics, Plot, Predictor, Split, mean, weighted

LONGEST_WINDOW = 1000
SHOWN_DAYS = 120


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
    which are past by then. Features of a day are known at its close, and scalers see training days
    only. The test walks forward: every day in order, each from the window just before it.

    **Why not prices?** A forecast of tomorrow's price that merely repeats today's is off by less
    than one percent, and its plot looks perfect: a curve one day late. Errors and R² of price
    levels therefore say nothing. As returns, that forecast (price persistence) is ``zero return``,
    which a model must beat to have learned anything; few do. An honest LSTM gets 51 to 52 % of
    directions right; saying ``always up`` would have got 53.8 % of this test period.
    """

    window: int = setting(50, "days that a forecast looks back on", minimum=1)
    features: str = setting(
        "all",
        "all: return, intraday range, change of volume; return: alone",
        choices=("all", "return"),
    )
    direction_weight: float = setting(1.0, "weight of the direction's cross-entropy", minimum=0)

    metric = "mse"
    readout = "last"
    defaults = (
        "model.hidden_size=32", "dropout.layer=0.2", "training.steps=1000", "training.batch_size=64",
        "training.log_every=50", "training.eval_every=50", "training.patience=8",
    )  # fmt: skip

    def __post_init__(self) -> None:
        """Refuse windows that leave no training days; raises ``ValueError``."""
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
    def table(self) -> Table:
        """Features and returns of all days but the first."""
        return tabulate(self.prices)

    @property
    def inputs(self) -> Features:
        """Standardised features of a day."""
        return Features(3 if self.features == "all" else 1)

    @property
    def outputs(self) -> Features:
        """The standardised return of the next day, and the logit of a rise."""
        return Features(2)

    def span(self, split: Split) -> tuple[int, int]:
        """The days that a split forecasts: first and end; training starts when it has a window."""
        first, end = split_days(split, len(self.table.returns))
        return max(first, self.window), end

    def data(self) -> Mapping[str, Any]:
        """Per split ``features [rows + window − 1, size]`` and ``targets [rows, 2]``.

        Row i forecasts ``targets[i]``, the return and whether the index rises (1 or 0), from
        ``features[i : i + window]``.
        """
        table = self.table
        scaled = (table.returns - table.mean) / table.std
        targets = np.stack([scaled, table.returns > 0], axis=1).astype(np.float32)
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

    def windows(self, data: Any, rows: Int[Array, " batch"]) -> Batch:
        """Inputs ``[batch, window, size]`` and targets ``[batch, 2]`` of some days of a split."""
        days = rows[:, None] + jnp.arange(self.window)
        return Batch(jnp.asarray(data["features"])[days], jnp.asarray(data["targets"])[rows])

    pick = windows

    def loss(self, outputs: Float[Array, "batch 2"], batch: Batch) -> Float[Array, ""]:
        """Squared error of the return plus the weighted cross-entropy (nats) of the direction."""
        logit, rise = outputs[:, 1], batch.targets[:, 1]
        nats = jax.nn.softplus(logit) - logit * rise
        square = (outputs[:, 0] - batch.targets[:, 0]) ** 2
        return mean(weighted(square + self.direction_weight * nats, batch))

    def metrics(self, outputs: Float[Array, "batch 2"], batch: Batch) -> Metrics:
        """Errors of the standardised return, one also in percent per day; share of signs right."""
        error = outputs[:, 0] - batch.targets[:, 0]
        right = (outputs[:, 1] > 0) == (batch.targets[:, 1] > 0.5)
        return {
            "mse": weighted(error**2, batch),
            "mae": weighted(jnp.abs(error), batch),
            "mae_percent": weighted(100 * self.table.std * jnp.abs(error), batch),
            "direction_accuracy": weighted(right.astype(jnp.float32), batch),
        }

    def baselines(self) -> dict[str, float]:
        """Errors of forecasting no change (price persistence), the training mean (drift), and the
        last return again; best first.
        """
        table = self.table
        first, end = self.span("test")
        scaled = (table.returns - table.mean) / table.std
        guesses = {
            "zero return": -table.mean / table.std,
            "mean return": 0.0,
            "last return": scaled[first - 1 : end - 1],
        }
        errors = {name: float(np.mean((scaled[first:end] - g) ** 2)) for name, g in guesses.items()}
        return dict(sorted(errors.items(), key=lambda item: item[1]))

    def other_baselines(self) -> dict[str, dict[str, float]]:
        """Share of directions right: a rise every day, and the last day's direction again."""
        first, end = self.span("test")
        up = self.table.returns > 0
        same = float(np.mean(up[first:end] == up[first - 1 : end - 1]))
        return {
            "direction_accuracy": {
                "always up": float(np.mean(up[first:end])),
                "last direction": same,
            }
        }

    def plot(self, predictor: Predictor) -> list[Plot]:
        """The last test days, each forecast from the days before it: closes and returns; and how sure the share of
        directions right is.
        """
        from lstmlab.plots import curves as plots

        data = self.data()["test"]
        rows = np.arange(len(data["targets"]))
        outputs = np.asarray(predictor.predict(self.windows(data, jnp.asarray(rows))), np.float64)
        right = int(((outputs[:, 1] > 0) == (data["targets"][:, 1] > 0.5)).sum())
        low, high = wilson(right, len(rows))
        directions = (
            f"direction right on {right / len(rows):.1%} of {len(rows)} test days; 95 % interval (Wilson) {low:.1%} to "
            f"{high:.1%}; always up: {data['targets'][:, 1].mean():.1%}\n"
        )
        rows, outputs = rows[-SHOWN_DAYS:], outputs[-SHOWN_DAYS:]
        forecast = self.table.mean + self.table.std * outputs[:, 0]
        shown = slice(-len(rows) - 1, None)  # from the day on which the first forecast is made
        dates, close = self.prices.dates[shown], self.prices.close[shown]
        closes = {"persistence": close[:-1], "model": close[:-1] * np.exp(forecast)}
        rmse = {name: np.sqrt(np.mean((f - close[1:]) ** 2)) for name, f in closes.items()}
        errors = f"RMSE {rmse['model']:.2f}, persistence {rmse['persistence']:.2f} points"
        draw = functools.partial(plots.forecast, x_label=f"the last {len(rows)} days of the test")
        draw_closes = functools.partial(
            draw, times=dates, truth=close, predictions=closes, y_label="close",
            title=f"S&P 500 forecast one day ahead: {errors}",
        )  # fmt: skip
        draw_returns = functools.partial(
            draw, times=dates, truth=100 * self.table.returns[shown],
            predictions={"model": 100 * forecast}, y_label="return, %",
            title="S&P 500: the day's return as forecast the day before",
        )  # fmt: skip
        return [
            Plot("closes", draw=draw_closes),
            Plot("returns", draw=draw_returns),
            Plot("direction", text=directions),
        ]
