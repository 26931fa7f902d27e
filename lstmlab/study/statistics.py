"""Statistics of a few runs: interquartile mean, bootstrap intervals, probability of improvement.

After Agarwal et al. 2021, "Deep Reinforcement Learning at the Edge of the Statistical Precipice" (NeurIPS), whose
advice applies to any method with few seeds. Resampling starts from a fixed seed, so that the same runs always give
the same interval.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import bootstrap, trim_mean

RESAMPLES = 2000
ROUNDING = 1e-6
"""relative difference of metrics that rounding in float32 can make; its machine epsilon is 1.2e-7"""
_LARGEST_BATCH = 4_000_000  # scalars that one batch of resamples may hold: 32 MB


class Interval(NamedTuple):
    """A statistic with its 95 % bootstrap interval; ``low`` and ``high`` are None where a sample has one value."""

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


def iqm_interval(values: ArrayLike) -> Interval:
    """The interquartile mean of values ``[seeds]``.

    With two or three seeds the interval is little more than their range, too narrow for 95 %.
    """
    return _interval([np.asarray(values, float)], iqm)


def iqm_bands(values: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The interquartile mean over seeds of curves ``[seeds, steps]``, and its lows and highs ``[steps]``.

    With one seed all three are its curve.
    """
    curves = np.asarray(values, float)
    middle = iqm(curves, axis=0)
    if len(curves) < 2:
        return middle, middle, middle
    low, high = _resampled([curves.T], iqm)
    return middle, low, high


def stratified_iqm(strata: Sequence[ArrayLike]) -> Interval:
    """The interquartile mean over all strata together; each stratum, the seeds of one task, is resampled on its own."""
    return _interval([np.asarray(values, float) for values in strata], _iqm_of_all)


def improvement(ours: Sequence[ArrayLike], theirs: Sequence[ArrayLike]) -> Interval:
    """The probability that one of our runs has a lower loss than one of theirs, averaged over tasks.

    Both arguments hold the losses ``[seeds]`` of every task. A tie, or a difference of rounding, counts as half. A run
    that failed has an infinite loss and is worse than every other. Raises ``ValueError`` when the lists differ in
    length.
    """
    if len(ours) != len(theirs):
        raise ValueError(f"{len(ours)} tasks of ours and {len(theirs)} of theirs")
    return _interval([np.asarray(losses, float) for losses in (*ours, *theirs)], _mean_of_wins)


def _iqm_of_all(*strata: np.ndarray, axis: int = -1) -> np.ndarray:
    return iqm(np.concatenate(strata, axis=axis), axis=axis)


def _mean_of_wins(*samples: np.ndarray, axis: int = -1) -> np.ndarray:
    tasks = len(samples) // 2
    return np.mean([_wins(a, b) for a, b in zip(samples[:tasks], samples[tasks:], strict=True)], axis=0)


def _wins(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Share of the pairs that ours win, over the last axis of each."""
    a, b = ours[..., :, None], theirs[..., None, :]
    tie = np.isclose(a, b, rtol=ROUNDING, atol=0.0)
    return np.where(tie, 0.5, a < b).mean(axis=(-1, -2))


def _interval(samples: list[np.ndarray], statistic: Callable[..., np.ndarray]) -> Interval:
    value = float(statistic(*samples))
    if any(len(sample) < 2 for sample in samples):
        return Interval(value, None, None)
    low, high = _resampled(samples, statistic)
    return Interval(value, float(low), float(high))


def _resampled(samples: list[np.ndarray], statistic: Callable[..., np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Both ends of the percentile interval; each sample is resampled on its own along its last axis."""
    # Percentiles, not BCa, which is undefined where the statistic does not vary: where all runs tie, for example.
    pairs = max(a.shape[-1] for a in samples) if statistic is _mean_of_wins else 1
    result = bootstrap(
        samples, statistic, method="percentile", vectorized=True, axis=-1, n_resamples=RESAMPLES,
        batch=max(1, _LARGEST_BATCH // (max(a.size for a in samples) * pairs)), rng=np.random.default_rng(0),
    )  # fmt: skip
    return result.confidence_interval.low, result.confidence_interval.high
