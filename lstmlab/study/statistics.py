"""Statistics of a few runs: means with 95 % intervals, probability of improvement.

The methods are those whose intervals hold the truth most nearly 95 times in 100 with few seeds: docs/statistics.md has
the simulation. Below ``FEWEST`` seeds there is no interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.stats import binomtest, norm, sem, t, trim_mean
from scipy.stats.mstats import trimmed_mean_ci

FEWEST = 3
"""seeds from which there are intervals, probabilities and verdicts: with two, one value decides all of them"""
FEWEST_TRIMMED = 12
"""seeds from which the interval of the interquartile mean covers"""
LEVEL = 0.95
ROUNDING = 1e-6
"""relative difference of metrics that rounding in float32 can make; its machine epsilon is 1.2e-7"""


class Interval(NamedTuple):
    """A statistic with its 95 % interval; ``low`` and ``high`` are None where a sample has too few values."""

    value: float
    low: float | None
    high: float | None


def named(interval: Interval | None, value: str, low: str, high: str) -> dict[str, float | None]:
    """An interval as three entries of a row under these names; None for each where there is no interval."""
    return dict(zip((value, low, high), interval or (None, None, None), strict=True))


def clearly_less(a: float, b: float) -> bool:
    """Whether ``a`` is less than ``b`` by more than rounding."""
    return b - a > ROUNDING * max(abs(a), abs(b))


def iqm(values: ArrayLike, axis: int = -1) -> np.ndarray:
    """The interquartile mean: the mean without the lowest and the highest quarter of the values.

    The quarter is rounded down: of up to three values none is left out, and this is the mean.
    """
    return trim_mean(np.asarray(values, float), 0.25, axis=axis)


def mean_interval(values: ArrayLike) -> Interval:
    """The mean of values ``[seeds]`` and Student's t interval."""
    seeds = np.asarray(values, float)
    value = float(seeds.mean())
    if len(seeds) < FEWEST:
        return Interval(value, None, None)
    half = float(_t_half(len(seeds) - 1) * sem(seeds))
    return Interval(value, value - half, value + half)


def prediction_interval(recorded: ArrayLike, seeds: int, *, level: float = LEVEL, resolution: float = 0.0) -> Interval:
    """Where the mean of ``seeds`` new runs lies with probability ``level``, given the values of recorded runs.

    Student's t prediction interval for a mean (Hahn and Meeker 1991, section 4.8; for replications Spence and Stanley
    2016), wider by ``resolution`` on both sides: the smallest difference that the metric can show, such as one test
    example, which matters where all recorded values are equal. Rounding in float32 is always allowed for.
    """
    values = np.asarray(recorded, float)
    value = float(values.mean())
    if len(values) < FEWEST:
        return Interval(value, None, None)
    spread = float(values.std(ddof=1)) * np.sqrt(1 / len(values) + 1 / seeds)
    half = float(t.ppf((1 + level) / 2, len(values) - 1) * spread) + max(resolution, ROUNDING * abs(value))
    return Interval(value, value - half, value + half)


def binomial_interval(share: float, examples: int) -> Interval:
    """The share of right answers among ``examples`` independent ones, with Wilson's 95 % interval.

    It says how much the share depends on which examples are in the test set; seeds do not make it narrower.
    """
    found = binomtest(round(share * examples), examples).proportion_ci(LEVEL, method="wilson")
    return Interval(share, float(found.low), float(found.high))


def iqm_interval(values: ArrayLike) -> Interval:
    """The interquartile mean of values ``[seeds]``, and the t interval of Tukey and McLaughlin 1963."""
    seeds = np.asarray(values, float)
    value = float(iqm(seeds))
    if len(seeds) < FEWEST_TRIMMED:
        return Interval(value, None, None)
    low, high = trimmed_mean_ci(seeds, limits=(0.25, 0.25), alpha=1 - LEVEL)
    return Interval(value, float(low), float(high))


ESTIMATORS = {"mean": mean_interval, "IQM": iqm_interval}
"""what a table may show of the seeds, by the name in its header"""


def statistic_for(counts: Sequence[int]) -> str:
    """The statistic to compare rows by, given the seeds of each: the ``IQM`` if all have enough for its interval."""
    return "IQM" if counts and min(counts) >= FEWEST_TRIMMED else "mean"


def bands(values: ArrayLike, *, interval: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The mean over seeds of curves ``[seeds, steps]``, and lows and highs ``[steps]``.

    They are the 95 % t interval, or else the range of the seeds.
    """
    curves = np.asarray(values, float)
    middle = curves.mean(0)
    if not interval:
        return middle, curves.min(0), curves.max(0)
    half = _t_half(len(curves) - 1) * sem(curves, axis=0)
    return middle, middle - half, middle + half


def mean_over_tasks(tasks: Sequence[ArrayLike]) -> Interval:
    """The mean over tasks of the means ``[seeds]`` of each, with the t interval of Welch and Satterthwaite."""
    samples = [np.asarray(values, float) for values in tasks]
    value = float(np.mean([sample.mean() for sample in samples]))
    if min(map(len, samples)) < FEWEST:
        return Interval(value, None, None)
    variances = np.array([sem(sample) ** 2 for sample in samples])
    total = variances.sum()
    if total == 0:
        return Interval(value, value, value)
    df = total**2 / sum(v**2 / (len(sample) - 1) for v, sample in zip(variances, samples, strict=True))
    half = float(_t_half(df) * np.sqrt(total) / len(samples))
    return Interval(value, value - half, value + half)


def improvement(ours: Sequence[ArrayLike], theirs: Sequence[ArrayLike]) -> Interval | None:
    """The probability that one of our runs has a lower loss than one of theirs, averaged over tasks.

    Both arguments hold the losses ``[seeds]`` of every task. A tie, or a difference of rounding, counts as half. A run
    that failed has an infinite loss and is worse than every other. None where a task has too few seeds. Over several
    tasks the ends of the intervals are combined by MOVER (Zou and Donner 2008). Raises ``ValueError`` when the lists
    differ in length.
    """
    if len(ours) != len(theirs):
        raise ValueError(f"{len(ours)} tasks of ours and {len(theirs)} of theirs")
    if min(len(np.atleast_1d(losses)) for losses in (*ours, *theirs)) < FEWEST:
        return None
    samples = [(np.asarray(a, float), np.asarray(b, float)) for a, b in zip(ours, theirs, strict=True)]
    values = np.array([_wins(a, b) for a, b in samples])
    ends = [newcombe(value, len(a), len(b)) for value, (a, b) in zip(values, samples, strict=True)]
    low, high = np.array(ends).T
    value = float(values.mean())
    below, above = (float(np.sqrt(((values - end) ** 2).sum()) / len(values)) for end in (low, high))
    return Interval(value, max(0.0, value - below), min(1.0, value + above))


def newcombe(value: float, ours: int, theirs: int) -> tuple[float, float]:
    """The 95 % interval of a probability of improvement, given the number of runs on each side.

    Method 5 of Newcombe 2006, "Confidence intervals for an effect size measure based on the Mann–Whitney statistic",
    part 2: the values whose distance from ``value`` is z standard errors, with the variance of Hanley and McNeil. It
    has a width even where one side wins every pair. SciPy and statsmodels do not have it.
    """
    z, star = float(norm.ppf((1 + LEVEL) / 2)), (ours + theirs) / 2 - 1

    def excess(p: float) -> float:
        variance = p * (1 - p) * (1 + star * (1 - p) / (2 - p) + star * p / (1 + p)) / (ours * theirs)
        return (p - value) ** 2 - z**2 * variance

    # At 0 and 1 the variance vanishes, so that a value of 0 or 1 is a root too: look for the other one.
    inside = float(np.clip(value, 1e-9, 1 - 1e-9))
    low = 0.0 if value <= 0 else brentq(excess, 0.0, inside)
    high = 1.0 if value >= 1 else brentq(excess, inside, 1.0)
    return float(low), float(high)  # pyright: ignore[reportArgumentType]


def _wins(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Share of the pairs that ours win."""
    a, b = ours[:, None], theirs[None, :]
    tie = np.isclose(a, b, rtol=ROUNDING, atol=0.0)
    return float(np.where(tie, 0.5, a < b).mean())


def _t_half(df: float) -> float:
    return float(t.ppf((1 + LEVEL) / 2, df))
