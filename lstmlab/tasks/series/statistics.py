"""The confidence interval of a proportion."""

from __future__ import annotations


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """Wilson's 95 % interval (1927) of the probability of success, from independent trials."""
    from scipy.stats import binomtest  # here, since it takes a second to import, and few runs need it

    interval = binomtest(successes, trials).proportion_ci(confidence_level=0.95, method="wilson")
    return float(interval.low), float(interval.high)
