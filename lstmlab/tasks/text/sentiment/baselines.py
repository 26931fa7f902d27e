"""Multinomial naive Bayes on bags of words."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int


class Documents(NamedTuple):
    """Token sequences of two classes."""

    tokens: Int[np.ndarray, "documents length"]
    """padded at the end"""
    lengths: Int[np.ndarray, " documents"]
    labels: Int[np.ndarray, " documents"]
    """0 or 1"""

    @property
    def valid(self) -> Bool[np.ndarray, "documents length"]:
        """True at tokens, false at padding."""
        return np.arange(self.tokens.shape[1]) < self.lengths[:, None]


def log_odds(train: Documents, test: Documents, vocabulary: int) -> Float64[np.ndarray, " documents"]:
    """Log odds of class 1 over class 0 for each test document::

        ln p(1)/p(0) + Σ_w n_w ln p(w | 1)/p(w | 0),    p(w | c) = (N_cw + 1)/(N_c + V)

    where n_w is the number of occurrences of word w in the document, N_cw that in training documents of class c, and
    N_c the sum of N_cw over the V words (Manning, Raghavan & Schütze 2008, section 13.2; add-one smoothing).

    Raises:
        ValueError: all training documents have the same class.
    """
    sizes = np.bincount(train.labels, minlength=2)
    if not sizes.all():
        raise ValueError("naive Bayes needs training documents of both classes")
    word_logs = []
    for label in (0, 1):
        rows = train.labels == label
        smoothed = np.bincount(train.tokens[rows][train.valid[rows]], minlength=vocabulary) + 1
        word_logs.append(np.log(smoothed / smoothed.sum()))
    evidence = (word_logs[1] - word_logs[0])[test.tokens] * test.valid
    return np.log(sizes[1] / sizes[0]) + evidence.sum(axis=1)
