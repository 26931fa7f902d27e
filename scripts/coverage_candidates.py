"""Intervals that `coverage.py` compares. Samples are rows ``[simulations, seeds]``, one interval per row."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.stats import bootstrap, t, trim_mean, ttest_1samp
from scipy.stats.mstats import trimmed_mean_ci

from lstmlab.study.statistics import newcombe

Intervals = tuple[np.ndarray, np.ndarray]
RESAMPLES, BOOTSTRAPPED = 400, 500
"""resamples of a bootstrap, and simulations of which it is tried"""


def t_mean(x: np.ndarray) -> Intervals:
    """Student's t interval of the mean."""
    found = ttest_1samp(x, 0.0, axis=1).confidence_interval()
    return found.low, found.high


def tukey_mclaughlin(x: np.ndarray) -> Intervals:
    """t interval of the interquartile mean from winsorised variances (Tukey and McLaughlin 1963)."""
    low, high = trimmed_mean_ci(x, limits=(0.25, 0.25), axis=1)
    return np.asarray(low), np.asarray(high)


def percentile_mean(x: np.ndarray) -> Intervals:
    """Bootstrap percentile interval of the mean."""
    return _percentile(x, np.mean)


def percentile_iqm(x: np.ndarray) -> Intervals:
    """Bootstrap percentile interval of the interquartile mean (Agarwal et al. 2021)."""
    return _percentile(x, lambda a, axis: trim_mean(a, 0.25, axis=axis))


def bootstrap_t(x: np.ndarray) -> Intervals:
    """Bootstrap-t interval of the mean: quantiles of the resampled t statistic (Efron and Tibshirani 1993)."""
    x = x[:BOOTSTRAPPED]
    rng, n = np.random.default_rng(0), x.shape[1]
    mean, error = x.mean(1), x.std(1, ddof=1) / np.sqrt(n)
    drawn = x[:, rng.integers(0, n, (RESAMPLES, n))]
    with np.errstate(divide="ignore", invalid="ignore"):
        ts = (drawn.mean(-1) - mean[:, None]) / (drawn.std(-1, ddof=1) / np.sqrt(n))
    ts[np.isnan(ts)] = 0.0
    low, high = np.quantile(ts, [0.025, 0.975], axis=1, method="nearest")
    # Resamples of one value have an infinite t; such an interval has no end on that side.
    return mean - high * error, mean - low * error


def improvement_percentile(x: np.ndarray, y: np.ndarray) -> Intervals:
    """Bootstrap percentile interval of P(x < y) (Agarwal et al. 2021)."""
    x, y = x[:BOOTSTRAPPED], y[:BOOTSTRAPPED]
    rng, n, m = np.random.default_rng(0), x.shape[1], y.shape[1]
    drawn = [wins(x[:, rng.integers(0, n, n)], y[:, rng.integers(0, m, m)]).mean((1, 2)) for _ in range(RESAMPLES)]
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    return low, high


def improvement_brunner_munzel(x: np.ndarray, y: np.ndarray) -> Intervals:
    """Brunner and Munzel 2000: t interval with the variance of the placements (DeLong et al. 1988)."""
    value, error, df = _placements(x, y)
    half = t.ppf(0.975, df) * error
    return np.clip(value - half, 0, 1), np.clip(value + half, 0, 1)


def improvement_logit(x: np.ndarray, y: np.ndarray) -> Intervals:
    """The interval of Brunner and Munzel on the logit scale, in which it cannot leave [0, 1]."""
    value, error, df = _placements(x, y)
    with np.errstate(divide="ignore", invalid="ignore"):
        logit, half = np.log(value / (1 - value)), t.ppf(0.975, df) * error / (value * (1 - value))
        low, high = 1 / (1 + np.exp(half - logit)), 1 / (1 + np.exp(-half - logit))
    alone = (value == 0) | (value == 1)
    return np.where(alone, value, low), np.where(alone, value, high)


def improvement_newcombe(x: np.ndarray, y: np.ndarray) -> Intervals:
    """Newcombe 2006, method 5: a score interval with the variance of Hanley and McNeil."""
    value, n, m = wins(x, y).mean((1, 2)), x.shape[1], y.shape[1]
    ends = {v: newcombe(v, n, m) for v in np.unique(value)}
    low, high = np.array([ends[v] for v in value]).T
    return low, high


def wins(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Who is lower in each pair ``[simulations, seeds, seeds]``: 1, 0, or 0.5 for a tie."""
    a, b = x[:, :, None], y[:, None, :]
    return np.where(a == b, 0.5, a < b)


def _placements(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    won, n, m = wins(x, y), x.shape[1], y.shape[1]
    a, b = won.mean(2).var(1, ddof=1) / n, won.mean(1).var(1, ddof=1) / m
    with np.errstate(divide="ignore", invalid="ignore"):
        df = (a + b) ** 2 / (a**2 / (n - 1) + b**2 / (m - 1))
    return won.mean((1, 2)), np.sqrt(a + b), np.where(np.isfinite(df), df, 1.0)


def _percentile(x: np.ndarray, statistic: Callable[..., np.ndarray]) -> Intervals:
    found = bootstrap(
        (x[:BOOTSTRAPPED],), statistic, method="percentile", vectorized=True, axis=1, n_resamples=RESAMPLES, batch=50,
        rng=np.random.default_rng(0),
    ).confidence_interval  # fmt: skip
    return found.low, found.high


MEANS = {
    "t, mean": t_mean,
    "percentile, mean": percentile_mean,
    "bootstrap-t, mean": bootstrap_t,
    "Tukey–McLaughlin, IQM": tukey_mclaughlin,
    "percentile, IQM": percentile_iqm,
}
IMPROVEMENTS = {
    "Newcombe": improvement_newcombe,
    "percentile": improvement_percentile,
    "Brunner–Munzel": improvement_brunner_munzel,
    "logit": improvement_logit,
}
