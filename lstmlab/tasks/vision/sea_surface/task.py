"""Sea-surface temperature: forecast the next months' fields of the tropical oceans."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping

import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from lstmlab.arrays import RowNumbers, Scalar
from lstmlab.settings import setting
from lstmlab.tasks.batching import RowsTask
from lstmlab.tasks.registry import register_task
from lstmlab.tasks.task import Batch, Features, Metrics, Plot, Predictor, Split, mean, weighted
from lstmlab.tasks.vision.frames import ARCHITECTURES, FORECASTS, from_patches, to_patches
from lstmlab.tasks.vision.sea_surface.baselines import baselines
from lstmlab.tasks.vision.sea_surface.dataset import (
    Anomalies,
    SeaSurface,
    load_sea_surface,
    split_months,
    to_anomalies,
)
from lstmlab.tasks.vision.sea_surface.plots import plots

SPLITS: tuple[Split, ...] = ("train", "validation", "test")
LONGEST = {"window": 18, "horizon": 6}


@register_task(
    "sea_surface",
    title="next months' sea-surface temperature between 5° S and 5° N",
    data="OSTIA monthly means 2006-2010, embedded (UK Open Government Licence, Met Office)",
    paper="data: Donlon et al. 2012; form of model: Shi et al. 2015",
)
@dataclasses.dataclass(frozen=True)
class SeaSurfaceTask(RowsTask):
    """Read ``window`` months of fields, then forecast the next ``horizon`` months.

    Fields are standardised anomalies: the temperature of a place minus its training mean of that calendar month,
    divided by one deviation for all places. A field of 18 × 432 places is rearranged into patches (space to depth).
    A step also reads the share of sea in each patch, and the time of the year as sine and cosine, which is known for
    the future too; the future's anomalies are blank (0). Outputs are changes of the anomalies since the last month
    read, so that outputs of zero are ``anomaly persistence``.

    **No look-ahead.** Splits are by the months that are forecast: the first 36 train, the next 9 validate, the last 9
    test. Test windows may reach back into earlier months. Climatology and deviation use training months only. Loss and
    metrics cover the sea, not land.

    ``rmse`` in °C is the root of a field's mean squared error over the sea, averaged over fields and forecasts (as in
    WeatherBench, Rasp et al. 2020); ``rmse_month_k`` is that of the k-th month ahead.

    Four and a half years are few: they hold one El Niño (2009/10), whose end is the test, so that a model may well lose
    to persistence.
    """

    window: int = setting(6, "months that a forecast looks back on", minimum=1)
    horizon: int = setting(3, "months that are forecast", minimum=1)
    patch: int = setting(3, "height and width of the patches that become features, places", minimum=1)
    forecast: str = setting("stepwise", "the form of the model, see task moving_mnist", choices=FORECASTS)

    metric = "rmse"
    reference_value = 0.0  # the perfect one
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
        return ARCHITECTURES[self.forecast]

    @functools.cached_property
    def records(self) -> SeaSurface:
        """The fields in °C."""
        return load_sea_surface()

    @functools.cached_property
    def anomalies(self) -> Anomalies:
        """The fields as anomalies."""
        return to_anomalies(self.records)

    @property
    def _grid(self) -> tuple[int, int]:
        height, width = self.anomalies.sea.shape
        return height // self.patch, width // self.patch

    @property
    def inputs(self) -> Features:
        """Anomalies of a patch, its share of sea, and the time of the year."""
        return Features(self.patch**2 + 3, spatial=self._grid)

    @property
    def outputs(self) -> Features:
        """Changes of a patch's anomalies since the last month read."""
        return Features(self.patch**2, spatial=self._grid)

    def span(self, split: Split) -> tuple[int, int]:
        """First month and end of the months that a split forecasts; training starts after its first window."""
        first, end = split_months(split, len(self.anomalies.fields))
        return max(first, self.window), end

    def rows(self, split: Split) -> int:
        """Number of forecasts whose months all lie in the split."""
        first, end = self.span(split)
        return end - first - self.horizon + 1

    def data(self) -> Mapping[str, Mapping[str, np.ndarray]]:
        """Per split ``patches [months, rows, columns, patch²]`` and ``season [months, 2]``.

        Forecast i of a split sees months i … i + window − 1 of these arrays.
        """
        anomalies = self.anomalies
        patches = np.asarray(to_patches(jnp.asarray(anomalies.fields), self.patch))
        angle = 2 * np.pi * (anomalies.calendar + 0.5) / 12
        season = np.stack([np.sin(angle), np.cos(angle)], axis=1).astype(np.float32)
        spans = {split: slice(self.span(split)[0] - self.window, self.span(split)[1]) for split in SPLITS}
        return {split: {"patches": patches[months], "season": season[months]} for split, months in spans.items()}

    def pick(self, data: Mapping[str, ArrayLike], rows: RowNumbers) -> Batch:
        """Some windows of a split; targets are changes since the last month read."""
        months = rows[:, None] + jnp.arange(self.window + self.horizon)
        patches, season = jnp.asarray(data["patches"])[months], jnp.asarray(data["season"])[months]
        seen = (jnp.arange(months.shape[1]) < self.window)[:, None, None, None]
        season = jnp.broadcast_to(season[:, :, None, None], (*patches.shape[:-1], 2))
        share = jnp.broadcast_to(jnp.mean(self._sea_patches, axis=-1, keepdims=True), (*patches.shape[:-1], 1))
        inputs = jnp.concatenate([patches * seen, share, season], axis=-1)
        targets = patches[:, self.window :] - patches[:, self.window - 1, None]
        if self.architecture == "encoder_forecaster":
            return Batch((inputs[:, : self.window], inputs[:, self.window :]), targets)
        return Batch(inputs, targets)

    @property
    def _sea_patches(self) -> Float[Array, "y x f"]:
        """1 at sea, 0 on land."""
        return to_patches(jnp.asarray(self.anomalies.sea, jnp.float32), self.patch)

    def loss(self, outputs: Float[Array, "batch time y x f"], batch: Batch) -> Scalar:
        """Mean squared error of the anomalies over the sea, in units of their deviation squared."""
        return mean(weighted(self._squares(outputs, batch), batch))

    def metrics(self, outputs: Float[Array, "batch time y x f"], batch: Batch) -> Metrics:
        """Errors in °C of all forecast months, and of each month ahead."""
        errors = self.anomalies.deviation * jnp.sqrt(self._squares(outputs, batch))
        leads = {f"rmse_month_{k + 1}": weighted(errors[:, k], batch) for k in range(self.horizon)}
        return {"rmse": weighted(errors, batch)} | leads

    def _squares(self, outputs: Array, batch: Batch) -> Float[Array, "batch horizon"]:
        """Mean squared error over the sea of each forecast field."""
        squares = (outputs[:, -self.horizon :] - batch.targets) ** 2
        return jnp.sum(squares * self._sea_patches, axis=(2, 3, 4)) / self.anomalies.sea.sum()

    def forecasts(self, predictor: Predictor, split: Split = "test") -> Float[np.ndarray, "forecasts horizon h w"]:
        """All forecasts of a split as anomalies in °C."""
        data = self.data()[split]
        batch = self.pick(data, jnp.arange(self.rows(split)))
        changes = jnp.asarray(predictor.predict(batch))[:, -self.horizon :]
        last = jnp.asarray(data["patches"])[self.window - 1 :][: len(changes), None]
        return self.anomalies.deviation * np.asarray(from_patches(changes + last, self.patch))

    def baselines(self) -> dict[str, float]:
        """``rmse`` of simple forecasts, see :func:`~lstmlab.tasks.vision.sea_surface.baselines.baselines`."""
        return self._baselines()["rmse"]

    def other_baselines(self) -> dict[str, dict[str, float]]:
        """The errors of the same forecasts for each month ahead."""
        return {name: values for name, values in self._baselines().items() if name != "rmse"}

    def _baselines(self) -> dict[str, dict[str, float]]:
        test, validation = (self.span(s)[0] - 1 + np.arange(self.rows(s)) for s in ("test", "validation"))
        return baselines(self.anomalies, test, validation, self.horizon, train_end=self.span("train")[1])

    def plot(self, predictor: Predictor) -> list[Plot]:
        """Maps of one test forecast, and a film of the test months as forecast ``horizon`` months ahead."""
        return plots(self.records, self.anomalies, self.forecasts(predictor), first=self.span("test")[0])
