"""Series to forecast, by name or from a CSV file, with everything that is derived from them before training."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from lstmlab.data.clock import Times
from lstmlab.data.download import DataError, data_directory, fetch
from lstmlab.data.registry import REGISTRY
from lstmlab.data.resources import embedded_path
from lstmlab.data.spread import spread
from lstmlab.data.table import Table, read_table, unknown_column
from lstmlab.tasks.series.calendar_features import calendar_features, inferred_season
from lstmlab.tasks.series.naive_forecasters import slot_count, slot_table, times_of_week
from lstmlab.tasks.series.series_info import Scaler, SeriesInfo, SeriesValues
from lstmlab.tasks.series.splits import Spans, check_rows, split_by_time
from lstmlab.tasks.series.table_options import TableOptions

ETT_MONTH_HOURS = 30 * 24
_EMBEDDED = {"weather": "seattle_weather.csv.gz", "traffic": "traffic.csv.gz"}


class DatasetInfo(NamedTuple):
    """What is known of a named data set."""

    target: str
    """the column that univariate forecasts are of"""
    season: int
    """rows after which the target roughly repeats itself"""
    columns: tuple[str, ...] = ()
    """the columns that are read; none: all"""
    borders: tuple[int, int, int] | None = None
    """rows at which training, validation and test end, where the literature agrees on them"""


def _ett(rows_per_hour: int) -> DatasetInfo:
    """12, 4 and 4 months of 30 days, as Informer (Zhou et al. 2021) splits them; the rest of the file is not used."""
    month = ETT_MONTH_HOURS * rows_per_hour
    return DatasetInfo("OT", 24 * rows_per_hour, borders=(12 * month, 16 * month, 20 * month))


DATASETS: dict[str, DatasetInfo] = {
    "weather": DatasetInfo("temp_max", 365),
    # snow_1h is left out: it is 0 in every row.
    "traffic": DatasetInfo("traffic_volume", 168, columns=("clouds_all", "rain_1h", "temp", "traffic_volume")),
    "ETTh1": _ett(1),
    "ETTh2": _ett(1),
    "ETTm1": _ett(4),
    "ETTm2": _ett(4),
}


def load_dataset(name: str, data_dir: str | os.PathLike[str] | None = None) -> Table:
    """The data set of that name.

    * ``weather``: Seattle by day, 2012–2015: rain (mm), highest and lowest temperature (°C), wind (m/s). Embedded.
    * ``traffic``: vehicles per hour on a motorway, with the weather, October 2016 – September 2018. Embedded; its 104
      empty rows repeat the row before.
    * ``ETTh1``, ``ETTh2`` (by hour), ``ETTm1``, ``ETTm2`` (by 15 minutes): loads and oil temperature of an
      electricity transformer (Zhou et al. 2021), downloaded.

    Raises ``DataError`` when it cannot be downloaded.
    """
    return _load(name, str(data_directory(data_dir)))


@functools.lru_cache(maxsize=8)
def _load(name: str, data_dir: str) -> Table:
    path = embedded_path(_EMBEDDED[name]) if name in _EMBEDDED else fetch(REGISTRY[name.lower()], data_dir)
    return read_table(path, columns=DATASETS[name].columns, missing="forward")


class ForecastSeriesSettings(NamedTuple):
    """The settings of the task on which the prepared series depends."""

    table: TableOptions
    data_dir: str | None
    dataset: str
    features: str
    window: int
    horizon: int
    calendar: bool
    season: int
    fold: int
    folds: int
    climatology: bool = False

    @property
    def dataset_name(self) -> str:
        """The data set that is used where no file is given."""
        return "weather" if self.dataset == "auto" else self.dataset

    @property
    def title(self) -> str:
        """The name of the file, or of the data set."""
        return self.table.file.replace("\\", "/").rsplit("/", 1)[-1] if self.table.file else self.dataset_name

    def check(self) -> None:
        """Raise ``ValueError`` for settings that do not fit each other."""
        if self.fold >= self.folds:
            raise ValueError(f"task.fold is {self.fold}, but must be below task.folds, which is {self.folds}")
        if self.table.file and self.dataset != "auto":
            raise ValueError(f"task.dataset={self.dataset} and data.file={self.table.shown_file}: set one of them")
        self.table.check()
        if self.table.target and self.features == "M":
            raise ValueError("data.target is set, but task.features=M forecasts all columns: use S or MS")


@dataclasses.dataclass(frozen=True, eq=False)
class ForecastInfo(SeriesInfo):
    """What a trained forecaster needs to know of its series to be used on other rows."""

    targets: list[int]
    """positions in ``names`` of the columns that are forecast"""
    means: Float[np.ndarray, "slots columns"] | None = None
    """of the scaled target columns, for each time of the week or month; None where the model does not use them"""

    @property
    def target_names(self) -> list[str]:
        """The columns that are forecast."""
        return [self.names[i] for i in self.targets]

    def calendar_size(self) -> int:
        """How many features of the calendar there are at this step."""
        return 0 if self.step is None else calendar_features(np.zeros(1, "datetime64[s]"), self.step).shape[1]

    def features_of_times(self, calendar: bool, times: Times | None) -> list[Float[np.ndarray, "rows features"]]:
        """The features of the calendar, if ``calendar``, and the means of the target columns, if there are any; for
        ``times`` of the local clock, one for each row."""
        if times is None or self.step is None:
            return []
        features = [calendar_features(times, self.step)] if calendar else []
        return features if self.means is None else [*features, self.means[times_of_week(times, self.step)]]

    def to_plain(self) -> dict[str, Any]:
        """As lists and numbers, for JSON; undone by :meth:`from_plain`."""
        # "told" is the key of the targets in run directories; it stays, so that older runs can be loaded.
        means = {} if self.means is None else {"means": self.means.tolist()}
        return {"names": list(self.names), "told": self.targets} | super().to_plain() | means

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> ForecastInfo:
        """Undo :meth:`to_plain`; raises ``KeyError``, ``TypeError`` or ``ValueError`` for other values."""
        info = SeriesInfo.from_plain(plain)
        means = None if plain.get("means") is None else np.asarray(plain["means"], np.float64)
        return cls(info.names, info.scaler, info.step, info.clock, list(plain["told"]), means)


class PreparedSeries(NamedTuple):
    """A series that is scaled and split, ready to be cut into windows."""

    table: Table
    info: ForecastInfo
    """with the scaler of the training rows"""
    rows: Float[np.ndarray, "rows features"]
    """float32: the columns that are read, scaled, then the features of the calendar, then the means of each row's time
    of the columns that are forecast"""
    scaled_targets: Float[np.ndarray, "rows columns"]
    """the columns that are forecast, scaled, float64"""
    spans: Spans
    """the rows that each split forecasts"""
    season: int


def prepare_series(settings: ForecastSeriesSettings) -> PreparedSeries:
    """Read, scale and split the series. Raises ``DataError`` for a file that cannot be used or is too short."""
    table, target, info = _read(settings)
    position = table.names.index(target) if target else 0
    read = [position] if settings.features == "S" else list(range(len(table.names)))
    targets = list(range(len(read))) if settings.features in ("S", "M") else [position]
    spans = split_by_time(len(table.values), settings.fold, settings.folds, info and info.borders)
    check_rows(spans, settings.window, settings.horizon)
    train_end = spans["train"][1]
    values = table.values[:, read]
    scaler = Scaler.fit(values[:train_end])
    constant = [table.names[read[i]] for i in targets if not spread(values[:train_end])[i]]
    if constant:
        raise DataError(
            f"column '{constant[0]}' never changes in the {train_end} training rows: nothing can be learned"
        )
    season = settings.season or (info.season if info and target == info.target else 0) or inferred_season(table)
    if season >= train_end:
        inferred = "" if settings.season else "; the step between rows suggests it: set a shorter one"
        raise DataError(f"task.season={season} is longer than the training split, which has {train_end} rows{inferred}")
    scaled = scaler.scale(values)
    means = _means(table, scaled[:train_end, targets]) if settings.climatology else None
    forecast_info = ForecastInfo(tuple(table.names[i] for i in read), scaler, table.step, table.clock, targets, means)
    if settings.calendar and (table.times is None or table.step is None):
        raise DataError("task.calendar=true needs a column of times, one step apart")
    features = forecast_info.features_of_times(settings.calendar, table.local_times)
    rows = np.concatenate([scaled, *features], axis=1).astype(np.float32)
    return PreparedSeries(table, forecast_info, rows, scaled[:, targets], spans, season)


def _means(table: Table, train: SeriesValues) -> Float[np.ndarray, "slots columns"]:
    """The mean of each time of the week, or month, over the training rows."""
    if table.local_times is None or table.step is None:
        raise DataError("task.climatology=true needs a column of times, one step apart")
    count = slot_count(table.step)
    if count > len(train):
        raise DataError(
            f"task.climatology=true: a week has {count} steps, more than the {len(train)} rows of the training split"
        )
    return slot_table(train, times_of_week(table.local_times, table.step)[: len(train)], count)


def _read(settings: ForecastSeriesSettings) -> tuple[Table, str | None, DatasetInfo | None]:
    """The table, the name of the target (None when all columns are), and what is known of a named data set."""
    options, file = settings.table, settings.table.file
    if file is None:
        name = settings.dataset_name
        table, info = load_dataset(name, settings.data_dir), DATASETS[name]
        target = options.target or info.target
        if target not in table.names:
            raise unknown_column(f"task.dataset={name}", target, table.names)
        return table, target, info
    if settings.features == "M":
        return options.read(), None, None
    if settings.features == "S" and options.target:
        return options.read(columns=(options.target,)), options.target, None
    table = options.read()
    target = options.target or (table.names[0] if len(table.names) == 1 else None)
    if target is None:
        raise DataError(f"data.target is not set: which column of {file} is to be forecast? ({', '.join(table.names)})")
    if target not in table.names:
        raise unknown_column(file, target, table.names)
    return table, target, None
