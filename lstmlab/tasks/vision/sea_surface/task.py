"""Sea-surface temperature: forecast the next months' fields of the tropical oceans."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from lstmlab.settings import setting
from lstmlab.tasks.batching import RowsTask
from lstmlab.tasks.registry import register_task
from lstmlab.tasks.task import Batch, Features, Metrics, Plot, Predictor, Split, mean, weighted
from lstmlab.tasks.vision.frames import FORECASTS, from_patches, to_patches
from lstmlab.tasks.vision.sea_surface import baselines as sea_yardsticks
from lstmlab.tasks.vision.sea_surface import plots as sea_pictures
from lstmlab.tasks.vision.sea_surface.anomalies import SHARES, Anomalies, split_months, tabulate
from lstmlab.tasks.vision.sea_surface.dataset import SeaSurface, load_sea_surface

LONGEST = {"window": 18, "horizon": 6}


@register_task(
    "sea_surface",
    title="next months' sea-surface temperature between 5° S and 5° N",
    data="OSTIA monthly means 2006-2010, embedded (UK Open Government Licence, Met Office)",
    paper="data: Donlon et al. 2012; form of model: Shi et al. 2015",
)
@dataclasses.dataclass(frozen=True)
class SeaSurfaceTask(RowsTask):
    """See ``window`` months of fields, then forecast the ``horizon`` months after them.

    Fields are anomalies: of every place the training months' mean of that calendar month is taken away, and the rest
    divided by one deviation of the training months. A field of 18 × 432 places is rearranged into patches (space to
    depth). Beside them a step reads the share of sea in the patch and the month's place in the year, as sine and
    cosine, which is known of the future too; the future's anomalies are blank. Outputs are how far the anomaly will
    have moved from the last month seen, so that zero is ``anomaly persistence``.

    **No look-ahead.** Splits are by the months that are forecast: the first 36 train, the next 9 validate, the last 9
    test. Windows of the test may reach back into months that are past by then. Climatology and deviation see training
    months only. Loss and metrics count sea alone.

    ``rmse`` is the root of the mean squared error over the sea of one °C, averaged over fields and forecasts
    (as Rasp et al. 2020, WeatherBench, average it); ``rmse_month_k`` is that of the k-th month ahead.

    Four and a half years are few: they hold one El Niño (2009/10) and its end, which is the test, so that a model may
    well lose to persistence.
    """

    window: int = setting(6, "months that a forecast looks back on", minimum=1)
    horizon: int = setting(3, "months that are forecast", minimum=1)
    patch: int = setting(3, "height and width of the patches that become features, places", minimum=1)
    forecast: str = setting("stepwise", "the form of the model, see task moving_mnist", choices=FORECASTS)

    metric = "rmse"
    defaults = (
        "model.hidden_size=16", "training.steps=400", "training.batch_size=8", "training.log_every=20",
        "training.eval_every=20", "training.patience=8",
    )  # fmt: skip

    def __post_init__(self) -> None:
        """Refuse sizes that do not fit; raises ``ValueError``."""
        for key, longest in LONGEST.items():
            if getattr(self, key) > longest:
                raise ValueError(f"task.{key}={getattr(self, key)} is too long for 54 months: at most {longest}")
        if 18 % self.patch:
            raise ValueError(f"task.patch={self.patch} does not divide 18 and 432 places: use 1, 2, 3, 6, 9 or 18")

    @property
    def architecture(self) -> str:  # type: ignore[override]
        """One stack of layers, or two."""
        return "encoder_forecaster" if self.forecast == "encoder_forecaster" else "sequence"

    @functools.cached_property
    def records(self) -> SeaSurface:
        """The fields in °C."""
        return load_sea_surface()

    @functools.cached_property
    def table(self) -> Anomalies:
        """The fields as anomalies."""
        return tabulate(self.records)

    @property
    def _grid(self) -> tuple[int, int]:
        height, width = self.table.sea.shape
        return height // self.patch, width // self.patch

    @property
    def inputs(self) -> Features:
        """Standardised anomalies of a patch, its share of sea, and the time of the year."""
        return Features(self.patch**2 + 3, spatial=self._grid)

    @property
    def outputs(self) -> Features:
        """Changes of a patch's standardised anomalies since the last month seen."""
        return Features(self.patch**2, spatial=self._grid)

    def span(self, split: Split) -> tuple[int, int]:
        """The months that a split forecasts: first and end; training starts when it has a window."""
        first, end = split_months(split, len(self.table.fields))
        return max(first, self.window), end

    def rows(self, split: Split) -> int:
        """Forecasts in a split: all whose months lie in it."""
        first, end = self.span(split)
        return end - first - self.horizon + 1

    def data(self) -> Mapping[str, Any]:
        """Per split ``patches [months, rows, columns, patch²]`` and ``season [months, 2]``.

        Forecast i of a split sees months i … i + window − 1 of these arrays.
        """
        table = self.table
        patches = np.asarray(to_patches(jnp.asarray(table.fields), self.patch))
        angle = 2 * np.pi * (table.calendar + 0.5) / 12
        season = np.stack([np.sin(angle), np.cos(angle)], axis=1).astype(np.float32)
        spans = {split: slice(self.span(split)[0] - self.window, self.span(split)[1]) for split in SHARES}
        return {split: {"patches": patches[months], "season": season[months]} for split, months in spans.items()}

    def windows(self, data: Any, rows: Int[Array, " batch"]) -> Batch:
        """Some forecasts of a split: inputs, and as targets the changes since the last month seen."""
        months = rows[:, None] + jnp.arange(self.window + self.horizon)
        patches, season = jnp.asarray(data["patches"])[months], jnp.asarray(data["season"])[months]
        seen = (jnp.arange(months.shape[1]) < self.window)[:, None, None, None]
        known = jnp.broadcast_to(season[:, :, None, None], (*patches.shape[:-1], 2))
        share = jnp.broadcast_to(jnp.mean(self._sea_patches, axis=-1, keepdims=True), (*patches.shape[:-1], 1))
        inputs = jnp.concatenate([patches * seen, share, known], axis=-1)
        targets = patches[:, self.window :] - patches[:, self.window - 1, None]
        if self.architecture == "encoder_forecaster":
            return Batch((inputs[:, : self.window], inputs[:, self.window :]), targets)
        return Batch(inputs, targets)

    pick = windows

    @property
    def _sea_patches(self) -> Float[Array, "y x f"]:
        """1 at sea, 0 on land."""
        return to_patches(jnp.asarray(self.table.sea, jnp.float32), self.patch)

    def loss(self, outputs: Float[Array, "batch time y x f"], batch: Batch) -> Float[Array, ""]:
        """Mean squared error of the standardised anomalies over the sea."""
        return mean(weighted(self._squares(outputs, batch), batch))

    def metrics(self, outputs: Float[Array, "batch time y x f"], batch: Batch) -> Metrics:
        """Errors in °C, of all forecast months and of each."""
        errors = self.table.deviation * jnp.sqrt(self._squares(outputs, batch))
        leads = {f"rmse_month_{k + 1}": weighted(errors[:, k], batch) for k in range(self.horizon)}
        return {"rmse": weighted(errors, batch)} | leads

    def _squares(self, outputs: Array, batch: Batch) -> Float[Array, "batch horizon"]:
        """Mean squares over the sea of each forecast field."""
        squares = (outputs[:, -self.horizon :] - batch.targets) ** 2
        return jnp.sum(squares * self._sea_patches, axis=(2, 3, 4)) / self.table.sea.sum()

    def forecasts(self, predictor: Predictor, split: Split = "test") -> np.ndarray:
        """All forecasts of a split as anomalies in °C, ``[forecasts, horizon, latitudes, longitudes]``."""
        data = self.data()[split]
        batch = self.windows(data, jnp.arange(self.rows(split)))
        moved = jnp.asarray(predictor.predict(batch))[:, -self.horizon :]
        last = jnp.asarray(data["patches"])[self.window - 1 :][: len(moved), None]
        return self.table.deviation * np.asarray(from_patches(moved + last, self.patch))

    def baselines(self) -> dict[str, float]:
        """``rmse`` of repeating the last its anomaly, a damped one, and of the climatology."""
        return sea_yardsticks.baselines(self)["rmse"]

    def other_baselines(self) -> dict[str, dict[str, float]]:
        """The same for each month ahead."""
        return {name: values for name, values in sea_yardsticks.baselines(self).items() if name != "rmse"}

    def plot(self, predictor: Predictor) -> list[Plot]:
        """Maps of one test forecast, and a film of the test months as forecast ``horizon`` months before."""
        return sea_pictures.plot(self, self.forecasts(predictor))
