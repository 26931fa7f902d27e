"""What can be chosen about forecasts."""

from __future__ import annotations

import dataclasses

from lstmlab.settings import setting
from lstmlab.tasks.series.distributions import OUTPUTS
from lstmlab.tasks.series.forecast.dataset import DATASETS, ForecastSeriesSettings
from lstmlab.tasks.series.tabular import TabularTask


@dataclasses.dataclass(frozen=True)
class ForecastOptions(TabularTask):
    """The options of forecasts, checked against each other."""

    dataset: str = setting("auto", "auto: data.file, or else weather", choices=("auto", *DATASETS))
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
    distribution: str = setting("point", "form of the forecast of each value", choices=tuple(OUTPUTS))
    interval: float = setting(0.9, "probability of the interval of quantile and gaussian; below 1", minimum=0.01)
    normalise: str = setting("last", "what is taken out of each window", choices=("last", "window", "none"))
    climatology: bool = setting(
        False, "forecast the differences from the mean of each time of the week (steps of a day or more: each month)",
        choices=(False, True),
    )  # fmt: skip
    linear: bool = setting(
        False, "forecast what a linear map of the window, fitted by least squares, leaves", choices=(False, True)
    )
    calendar: bool = setting(False, "also read time of day, day of week and day of year", choices=(False, True))
    season: int = setting(0, "rows of a season; 0: as the data set or the step between rows suggests", minimum=0)
    fold: int = setting(0, "which fold of task.folds is the test", minimum=0)
    folds: int = setting(1, "walk-forward folds over the last half of the series; 1: the usual splits", minimum=1)

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for options that do not fit each other."""
        if self.interval >= 1:
            raise ValueError(f"task.interval is {self.interval}, but must be below 1")
        self.series_settings.check()
        if self.strategy == "recursive" and self.features == "MS":
            raise ValueError("task.strategy=recursive feeds back what it forecasts: it needs task.features=S or M")
        if self.strategy == "recursive" and self.linear:
            raise ValueError("task.linear=true forecasts all steps at once: it needs task.strategy=direct")

    @property
    def series_settings(self) -> ForecastSeriesSettings:
        """The options on which the series depends."""
        return ForecastSeriesSettings(
            self.table_options, self.data_dir, self.dataset, self.features, self.window, self.horizon, self.calendar,
            self.season, self.fold, self.folds, self.climatology,
        )  # fmt: skip
