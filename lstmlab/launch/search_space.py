"""The ranges of a search: from Hydra's sweep syntax to Optuna's distributions.

optimizer.learning_rate=tag(log,interval(1e-4,1e-2))        evenly on the logarithmic scale
optimizer.momentum=tag(log,one_minus,interval(0.01,1))      1 - x, with x as above: 0 to 0.99, most near 0.99
model.layers=int(interval(1,4))                             whole numbers, both ends included
model.hidden_size=range(16,128,16)                          16, 32, ... 112, in this order
init.recurrent=choice(orthogonal,glorot_uniform)            one of these
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from hydra.core.override_parser.types import IntervalSweep, Override

from lstmlab.config import ConfigError

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

TAGS = ("log", "one_minus")


@dataclass(frozen=True)
class Interval:
    """Numbers between two ends; with ``one_minus`` the value is 1 - x for the x that is drawn."""

    low: float
    high: float
    log: bool = False
    one_minus: bool = False

    @property
    def whole(self) -> bool:
        """Whether only whole numbers are drawn."""
        return isinstance(self.low, int)

    def distribution(self) -> BaseDistribution:
        """The distribution that Optuna draws from."""
        from optuna.distributions import FloatDistribution, IntDistribution

        if self.whole:
            return IntDistribution(int(self.low), int(self.high), log=self.log)
        return FloatDistribution(self.low, self.high, log=self.log)

    def text(self, drawn: Any) -> str:
        """The override's value for a drawn number, with six digits."""
        if self.whole:
            return repr(drawn)
        # Rounding to twelve digits removes the error of 1 - x: 1 - 0.7 is 0.30000000000000004.
        value, *ends = (float(f"{1 - x:.12g}") if self.one_minus else x for x in (drawn, self.low, self.high))
        return repr(min(max(float(f"{value:.6g}"), min(ends)), max(ends)))

    def samples(self) -> list[str]:
        """Values to check before the search: both ends, and a number between them that is not whole, if allowed."""
        inside = [] if self.whole else [self.low + 0.381966 * (self.high - self.low)]
        return [self.text(x) for x in (*inside, self.low, self.high)]

    def cut(self, count: int) -> Levels:
        """At most ``count`` values, evenly spaced on the interval's own scale; both ends are among them."""
        spaced = (np.geomspace if self.log else np.linspace)(self.low, self.high, count)
        # Rounding in geomspace could leave the interval.
        inside = [self.low, *spaced[1:-1].tolist(), self.high] if count > 1 else [spaced.tolist()[0]]
        drawn = [round(x) if self.whole else x for x in inside]
        return Levels(tuple(dict.fromkeys(self.text(x) for x in drawn)), ordered=True)


@dataclass(frozen=True)
class Levels:
    """A list of values; in an ``ordered`` list neighbours are similar."""

    values: tuple[str, ...]
    ordered: bool = False

    def distribution(self) -> BaseDistribution:
        """The distribution that Optuna draws from: positions of an ordered list, else values."""
        from optuna.distributions import CategoricalDistribution, IntDistribution

        return IntDistribution(0, len(self.values) - 1) if self.ordered else CategoricalDistribution(self.values)

    def text(self, drawn: Any) -> str:
        """The override's value for a drawn position or value."""
        return self.values[drawn] if self.ordered else drawn

    def samples(self) -> list[str]:
        """Values to check before the search: all, or both ends and the middle of an ordered list."""
        if not self.ordered:
            return list(self.values)
        return [self.values[i] for i in sorted({0, len(self.values) // 2, len(self.values) - 1})]


Dimension = Interval | Levels


def dimension(override: Override) -> Dimension:
    """The range in an override; raises ``ConfigError`` naming what is wrong with it."""
    text, sweep = str(override.input_line), override.value()
    tags = sorted(getattr(sweep, "tags", ()))
    if isinstance(sweep, IntervalSweep):
        return _interval(text, sweep, tags)
    if tags:
        raise ConfigError(f"'{text}': the tag '{tags[0]}' needs an interval")
    values = tuple(dict.fromkeys(override.sweep_string_iterator()))
    if not values:
        raise ConfigError(f"'{text}' holds no value")
    return Levels(values, ordered=override.is_range_sweep())


def _interval(text: str, sweep: IntervalSweep, tags: Sequence[str]) -> Interval:
    low, high = sweep.start, sweep.end
    assert low is not None and high is not None
    unknown = [tag for tag in tags if tag not in TAGS]
    if unknown:
        raise ConfigError(f"'{text}': unknown tag '{unknown[0]}' (known: {', '.join(TAGS)})")
    if not np.isfinite([low, high]).all() or not low < high:
        raise ConfigError(f"'{text}': the second end must be larger than the first")
    if "log" in tags and not low > 0:
        raise ConfigError(f"'{text}': the tag 'log' needs ends above 0")
    interval = Interval(low, high, log="log" in tags, one_minus="one_minus" in tags)
    if interval.whole and interval.one_minus:
        raise ConfigError(f"'{text}': the tag 'one_minus' needs an interval without int")
    return interval


def combinations(grid: dict[str, list[str]]) -> list[dict[str, str]]:
    """Every way to choose one value per key; one empty choice for an empty grid."""
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
