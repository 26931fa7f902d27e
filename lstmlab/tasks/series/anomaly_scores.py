"""Anomaly scores from forecast errors; everything that is fitted sees the training part alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from lstmlab.data.download import DataError
from lstmlab.tasks.series.series_info import SeriesValues


class Threshold(NamedTuple):
    """The score above which a row is flagged."""

    rule: str
    """sigma: mean + level · standard deviation of the training scores; quantile: their level-quantile"""
    level: float

    def of(self, scores: Float[np.ndarray, " rows"]) -> float:
        """The threshold that these scores give."""
        if self.rule == "sigma":
            return float(scores.mean() + self.level * scores.std())
        return float(np.quantile(scores, self.level))


class Scorer(NamedTuple):
    """The normal distribution of a forecaster's errors, and a threshold.

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
        """The scorer of these errors; rows with NaN, which have not been forecast often enough, are left out.

        1e-6 of the mean variance (at least 1e-12) is added to the diagonal of Σ, so that constant or proportional
        errors do not make it singular.
        """
        known = errors[np.isfinite(errors).all(axis=1)]
        covariance = np.atleast_2d(np.cov(known, rowvar=False, bias=True))
        ridge = max(1e-6 * float(np.trace(covariance)) / len(covariance), 1e-12)
        precision = np.linalg.inv(covariance + ridge * np.eye(len(covariance)))
        scorer = cls(known.mean(axis=0), precision, span, 0.0)
        return scorer._replace(threshold=threshold.of(scorer.scores(known)))

    def scores(self, errors: Float[np.ndarray, "rows errors"]) -> Float[np.ndarray, " rows"]:
        """The score of every row; NaN for rows whose errors are NaN, which are allowed only at the beginning."""
        off = errors - self.mean
        scores = np.einsum("ti,ij,tj->t", off, self.precision, off) / off.shape[1]
        return ewma(scores, self.span)

    def to_plain(self) -> dict[str, Any]:
        """As lists and numbers, for JSON; undone by :meth:`from_plain`."""
        return {name: value.tolist() if isinstance(value, np.ndarray) else value
                for name, value in self._asdict().items()}  # fmt: skip

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Scorer:
        """Undo :meth:`to_plain`; raises ``KeyError`` or ``TypeError`` for other values."""
        return cls(np.asarray(plain["mean"]), np.asarray(plain["precision"]), plain["span"], plain["threshold"])


class DetectorSettings(NamedTuple):
    """How a detector is fitted to forecast errors."""

    rows: tuple[int, int]
    """first row and end of those whose errors are used"""
    span: int
    """of the smoothing, see :class:`Scorer`"""
    threshold: Threshold


class Detector(NamedTuple):
    """A fitted scorer, and the scores of the whole series."""

    scorer: Scorer
    scores: Float[np.ndarray, " rows"]
    """NaN in the first rows"""

    @classmethod
    def fit(
        cls,
        errors: Float[np.ndarray, "rows errors"],
        labels: Bool[np.ndarray, " rows"] | None,
        settings: DetectorSettings,
    ) -> Detector:
        """Fit a scorer to the errors of ``settings.rows``, without rows that are labelled anomalous.

        Raises ``DataError`` when fewer than two rows are left.
        """
        rows = slice(*settings.rows)
        known = errors[rows]
        if labels is not None:
            known = known[~labels[rows]]
        if np.isfinite(known).all(axis=1).sum() < 2:
            raise DataError(
                "fewer than 2 normal rows of the training part can be forecast: take a larger task.train_share"
            )
        scorer = Scorer.fit(known, settings.span, settings.threshold)
        return cls(scorer, scorer.scores(errors))


def ewma(values: Float[np.ndarray, " rows"], span: int) -> Float[np.ndarray, " rows"]:
    """a_t = (1 − α) a_{t−1} + α v_t, α = 2 / (span + 1), from the first finite value on; NaN before it."""
    if span == 1:
        return values
    from scipy.signal import lfilter  # here, as it takes a while to import

    alpha, smooth = 2 / (span + 1), values.copy()
    first = int(np.argmax(np.isfinite(values)))
    memory = [(1 - alpha) * values[first]]  # the filter's state after the first value
    smooth[first + 1 :], _ = lfilter([alpha], [1, alpha - 1], values[first + 1 :], zi=memory)
    return smooth


def error_vectors(
    forecasts: Float[np.ndarray, "rows horizon columns"], values: SeriesValues
) -> Float[np.ndarray, "rows errors"]:
    """For each row the errors of all forecasts of it; ``forecasts[t, k]`` is a forecast of row t + 1 + k. NaN where a
    row has not been forecast.
    """
    horizon = forecasts.shape[1]
    errors = np.full((len(values), horizon, values.shape[1]), np.nan)
    for k in range(horizon):
        errors[k + 1 :, k] = values[k + 1 :] - forecasts[: len(values) - k - 1, k]
    return errors.reshape(len(values), -1)
