"""The series of a forecast task, with all that is derived from it once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from lstmlab.data.download import DataError
from lstmlab.data.table import Table, unknown_column
from lstmlab.tasks.series.forecast.series import SERIES, SeriesInfo, load_series
from lstmlab.tasks.series.splits import Scaler, borders, calendar, check_rows, inferred_season
from lstmlab.tasks.series.tabular import TabularTask
from lstmlab.tasks.task import Split


class Facts(NamedTuple):
    """What a trained forecaster needs to be used on other rows."""

    names: list[str]
    """the columns that it reads"""
    told: list[int]
    """positions of those that it forecasts, among them"""
    scaler: Scaler
    step: np.timedelta64 | None

    @property
    def target_names(self) -> list[str]:
        """The columns that it forecasts."""
        return [self.names[i] for i in self.told]

    def calendar_size(self) -> int:
        """Features of the calendar at this step."""
        return 0 if self.step is None else calendar(np.zeros(1, "datetime64[s]"), self.step).shape[1]

    def plain(self) -> dict[str, Any]:
        """As plain values; inverse of :meth:`from_plain`."""
        unit = None if self.step is None else [int(self.step.astype(np.int64)), np.datetime_data(self.step.dtype)[0]]
        mean, std = (part.tolist() for part in self.scaler)
        return {"names": self.names, "told": self.told, "mean": mean, "std": std, "step": unit}

    @classmethod
    def from_plain(cls, kept: Mapping[str, Any]) -> Facts:
        """Raises ``KeyError``, ``TypeError`` or ``ValueError`` for other values."""
        scaler = Scaler(np.asarray(kept["mean"], np.float64), np.asarray(kept["std"], np.float64))
        step = None if kept["step"] is None else np.timedelta64(*kept["step"])
        return cls(list(kept["names"]), list(kept["told"]), scaler, step)


class Frame(NamedTuple):
    """A series, ready for windows."""

    table: Table
    facts: Facts
    """the scaler is fitted on the training rows"""
    series: Float[np.ndarray, "rows features"]
    """float32: those columns scaled, then the features of the calendar"""
    spans: dict[Split, tuple[int, int]]
    """first row and end of each split; its forecasts are of these rows alone"""
    season: int

    scaled_targets: Float[np.ndarray, "rows columns"]
    """what is to be forecast, scaled, float64"""


class Recipe(NamedTuple):
    """The options on which a frame depends, besides the file."""

    dataset: str
    features: str
    window: int
    horizon: int
    calendar: bool
    season: int
    fold: int
    folds: int


def make_frame(task: TabularTask, recipe: Recipe) -> Frame:
    """Read and prepare the series. Raises ``DataError``: a file that cannot be used, or is too short."""
    table, target, info = _load(task, recipe)
    position = table.names.index(target) if target else 0
    read = [position] if recipe.features == "S" else list(range(len(table.names)))
    told = list(range(len(read))) if recipe.features in ("S", "M") else [position]
    spans = borders(len(table.values), recipe.fold, recipe.folds, info and info.borders)
    check_rows(spans, recipe.window, recipe.horizon)
    train_end = spans["train"][1]
    values = table.values[:, read]
    scaler = Scaler.fit(values[:train_end])
    still = [table.names[read[i]] for i in told if values[:train_end, i].min() == values[:train_end, i].max()]
    if still:
        raise DataError(f"column '{still[0]}' never changes in the {train_end} training rows: nothing can be learned")
    season = recipe.season or (info.season if info and target == info.target else 0) or inferred_season(table)
    if season >= train_end:
        raise DataError(f"task.season={season} is longer than the training split, which has {train_end} rows")
    scaled = scaler.scale(values)
    columns = [scaled, *([_calendar(table)] if recipe.calendar else [])]
    facts = Facts([table.names[i] for i in read], told, scaler, table.step)
    series = np.concatenate(columns, axis=1).astype(np.float32)
    return Frame(table, facts, series, spans, season, scaled[:, told])


def _load(task: TabularTask, recipe: Recipe) -> tuple[Table, str | None, SeriesInfo | None]:
    """The table, the name of the target (None when all columns are), and what is known of the data set."""
    many = recipe.features == "M"
    if task.data_file is None:
        name = "weather" if recipe.dataset == "auto" else recipe.dataset
        table, info = load_series(name, task.data_dir), SERIES[name]
        target = task.data_target or info.target
        if target not in table.names:
            raise unknown_column(f"task.dataset={name}", target, table.names)
        return table, target, info
    if many:
        return task.read_file(), None, None
    if recipe.features == "S" and task.data_target:
        return task.read_file(columns=(task.data_target,)), task.data_target, None
    table = task.read_file()
    target = task.data_target or (table.names[0] if len(table.names) == 1 else None)
    if target is None:
        raise DataError(f"data.target is not set: which column of {task.data_file} is to be forecast? "
                        f"({', '.join(table.names)})")  # fmt: skip
    if target not in table.names:
        raise unknown_column(task.data_file, target, table.names)
    return table, target, None


def _calendar(table: Table) -> np.ndarray:
    if table.times is None or table.step is None:
        raise DataError("task.calendar=true needs a column of times, one step apart")
    return calendar(table.times, table.step)


def check_options(task: Any) -> None:
    """Refuse options that do not fit each other; raises ``ValueError``."""
    if task.interval >= 1:
        raise ValueError(f"task.interval is {task.interval}, but must be below 1")
    if task.fold >= task.folds:
        raise ValueError(f"task.fold is {task.fold}, but must be below task.folds, which is {task.folds}")
    if task.data_file and task.dataset != "auto":
        raise ValueError(f"task.dataset={task.dataset} and data.file={task.data_file}: set one of them")
    task.check_file_keys()
    if task.data_target and task.features == "M":
        raise ValueError("data.target is set, but task.features=M forecasts all columns: use S or MS")
    if task.strategy == "recursive" and task.features == "MS":
        raise ValueError("task.strategy=recursive feeds back what it forecasts: it needs task.features=S or M")
