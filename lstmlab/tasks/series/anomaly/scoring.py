"""From forecast errors to anomaly scores, with everything that is fitted taken from training rows alone."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float


class Threshold(NamedTuple):
    """Where a score becomes an alarm."""

    rule: str
    """sigma: mean + level · standard deviation of the training scores; quantile: their level-quantile"""
    level: float

    def of(self, scores: Float[np.ndarray, " rows"]) -> float:
        """The threshold that these scores give."""
        if self.rule == "sigma":
            return float(scores.mean() + self.level * scores.std())
        return float(np.quantile(scores, self.level))


class Scorer(NamedTuple):
    """The Gaussian of a forecaster's errors, and a threshold.

    Every row t is forecast ``horizon`` times, from t − 1, t − 2, …; with F columns its errors are one vector e_t of
    horizon · F numbers. Malhotra et al. 2015 fit e ~ N(μ, Σ); the score is the Mahalanobis distance per number::

        s_t = (e_t − μ)ᵀ Σ⁻¹ (e_t − μ) / (horizon · F)

    smoothed as by Hundman et al. 2018: a_t = (1 − α) a_{t−1} + α s_t with α = 2 / (span + 1); span 1 does not smooth.
    With one column and horizon 1, s is the squared standardised residual.
    """

    mean: Float[np.ndarray, " errors"]
    precision: Float[np.ndarray, "errors errors"]
    """Σ⁻¹"""
    span: int
    threshold: float

    @classmethod
    def fit(cls, errors: Float[np.ndarray, "rows errors"], span: int, threshold: Threshold) -> Scorer:
        """From errors in training; rows with NaN, which have not been forecast often enough, are left out.

        Σ gets a ridge of 1e-6 of its mean variance (at least 1e-12), so that constant or proportional errors do not
        make it singular.
        """
        known = errors[np.isfinite(errors).all(axis=1)]
        covariance = np.atleast_2d(np.cov(known, rowvar=False, bias=True))
        ridge = max(1e-6 * float(np.trace(covariance)) / len(covariance), 1e-12)
        precision = np.linalg.inv(covariance + ridge * np.eye(len(covariance)))
        scorer = cls(known.mean(axis=0), precision, span, 0.0)
        return scorer._replace(threshold=threshold.of(scorer.scores(known)))

    def scores(self, errors: Float[np.ndarray, "rows errors"]) -> Float[np.ndarray, " rows"]:
        """The score of every row; NaN where its errors are, which may be at the beginning alone."""
        off = errors - self.mean
        scores = np.einsum("ti,ij,tj->t", off, self.precision, off) / off.shape[1]
        return ewma(scores, self.span)

    def plain(self) -> dict[str, Any]:
        """As lists and numbers, for a file; see :meth:`from_plain`."""
        return {name: value.tolist() if isinstance(value, np.ndarray) else value
                for name, value in self._asdict().items()}  # fmt: skip

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Scorer:
        """Undo :meth:`plain`."""
        return cls(np.asarray(plain["mean"]), np.asarray(plain["precision"]), plain["span"], plain["threshold"])


def ewma(values: Float[np.ndarray, " rows"], span: int) -> Float[np.ndarray, " rows"]:
    """a_t = (1 − α) a_{t−1} + α v_t, α = 2 / (span + 1), from the first finite value on; NaN before it."""
    if span == 1:
        return values
    alpha, smooth = 2 / (span + 1), values.copy()
    first = int(np.argmax(np.isfinite(values)))
    for t in range(first + 1, len(values)):
        smooth[t] = (1 - alpha) * smooth[t - 1] + alpha * values[t]
    return smooth


def error_vectors(
    forecasts: Float[np.ndarray, "rows horizon columns"], values: Float[np.ndarray, "rows columns"]
) -> Float[np.ndarray, "rows errors"]:
    """Per row the errors of all forecasts made of it: ``forecasts[t, k]`` is that of row t + 1 + k. NaN in the rows
    that have not been forecast ``horizon`` times.
    """
    horizon = forecasts.shape[1]
    errors = np.full((len(values), horizon, values.shape[1]), np.nan)
    for k in range(horizon):
        errors[k + 1 :, k] = values[k + 1 :] - forecasts[: len(values) - k - 1, k]
    return errors.reshape(len(values), -1)


def moving_average_errors(values: Float[np.ndarray, "rows columns"], width: int) -> Float[np.ndarray, "rows columns"]:
    """x_t minus the mean of the ``width`` rows before it; NaN in the first ``width`` rows."""
    errors = np.full(values.shape, np.nan)
    past = np.lib.stride_tricks.sliding_window_view(values, width, axis=0)[:-1]
    errors[width:] = values[width:] - past.mean(axis=-1)
    return errors


def moving_z_errors(values: Float[np.ndarray, "rows columns"], width: int) -> Float[np.ndarray, "rows columns"]:
    """The same divided by the standard deviation of those rows, or by 0.01 where that is less; ``values`` are z-scores,
    so that 0.01 is a hundredth of the training part's deviation.
    """
    past = np.lib.stride_tricks.sliding_window_view(values, width, axis=0)[:-1]
    spread = past.std(axis=-1)
    errors = moving_average_errors(values, width)
    errors[width:] /= np.maximum(spread, 0.01)
    return errors
