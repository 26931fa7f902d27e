"""What a trained model needs to know of its series to be used on other rows: columns, scaler, time step."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from lstmlab.data.clock import Clock
from lstmlab.data.spread import ROUNDINGS, spread_or_one

SeriesValues = Float[np.ndarray, "rows columns"]


class Scaler(NamedTuple):
    """z = (x − mean) / std for each column, with the mean and standard deviation of the training rows."""

    mean: Float[np.ndarray, " columns"]
    std: Float[np.ndarray, " columns"]

    @classmethod
    def fit(cls, values: SeriesValues) -> Scaler:
        """The scaler of these rows; a column that is constant, but for rounding, is only shifted."""
        wide = np.asarray(values, np.float64)
        # The mean of what is left after the first row: exact where a column is constant.
        return cls(wide[0] + (wide - wide[0]).mean(axis=0), spread_or_one(values))

    def scale(self, values: np.ndarray) -> np.ndarray:
        """From the data's units to z-scores."""
        return (values - self.mean) / self.std

    def restore(self, scaled: np.ndarray) -> np.ndarray:
        """From z-scores to the data's units."""
        return scaled * self.std + self.mean

    def of(self, columns: list[int]) -> Scaler:
        """The scaler of some of the columns."""
        return Scaler(self.mean[columns], self.std[columns])

    def rounding(self) -> Float[np.ndarray, " columns"]:
        """How far apart two z-scores of one value may be, by the rounding of the data's own numbers."""
        return ROUNDINGS * np.finfo(np.float64).eps * (np.abs(self.mean) / self.std + 1)


@dataclasses.dataclass(frozen=True, eq=False)
class SeriesInfo:
    """Stored in the run directory, so that a trained model can be used when its training data is gone."""

    names: tuple[str, ...]
    """of the columns that the model reads"""
    scaler: Scaler
    step: np.timedelta64 | None
    """between rows, in seconds, microseconds or months; None where it is not known or not the same"""
    clock: Clock | None
    """of the times; None in runs of versions that did not store it"""

    def to_plain(self) -> dict[str, Any]:
        """As lists and numbers, for JSON; undone by :meth:`from_plain`."""
        step = None if self.step is None else [int(self.step.astype(np.int64)), np.datetime_data(self.step.dtype)[0]]
        mean, std = (part.tolist() for part in self.scaler)
        clock = None if self.clock is None else list(self.clock)
        return {"names": list(self.names), "mean": mean, "std": std, "step": step, "clock": clock}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> SeriesInfo:
        """Undo :meth:`to_plain`; raises ``KeyError``, ``TypeError`` or ``ValueError`` for other values."""
        scaler = Scaler(np.asarray(plain["mean"], np.float64), np.asarray(plain["std"], np.float64))
        step = None if plain["step"] is None else np.timedelta64(*plain["step"])
        clock = None if plain.get("clock") is None else Clock.from_plain(plain["clock"])
        return SeriesInfo(tuple(plain["names"]), scaler, step, clock)
