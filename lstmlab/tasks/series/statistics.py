"""The confidence interval of a proportion."""

from __future__ import annotations

from scipy.stats import binomtest


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """Wilson's 95 % interval (1927) of the probability of success, from independent trials."""
    interval = binomtest(successes, trials).proportion_ci(confidence_level=0.95, method="wilson")
    return float(interval.low), float(interval.high)
