"""Multinomial naive Bayes: the bag of words that a reader of word order must beat."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Documents(NamedTuple):
    """Token sequences of two classes."""

    tokens: NDArray[np.integer]
    """``[documents, length]``, padded behind ``lengths``"""
    lengths: NDArray[np.integer]
    """``[documents]``"""
    labels: NDArray[np.integer]
    """0 or 1, ``[documents]``"""

    @property
    def valid(self) -> NDArray[np.bool_]:
        """True at tokens, false at padding."""
        return np.arange(self.tokens.shape[1]) < self.lengths[:, None]


def log_odds(train: Documents, test: Documents, vocabulary: int) -> NDArray[np.float64]:
    """Log odds of class 1 over class 0 for each test document, ``[documents]``::

        ln p(1)/p(0) + Σ_w n_w ln p(w | 1)/p(w | 0),    p(w | c) = (N_cw + 1)/(N_c + V)

    with n_w the occurrences of word w in the document, N_cw those in training documents of class c, N_c their sum over
    the V words (Manning, Raghavan & Schütze 2008, section 13.2; add-one smoothing).

    Raises:
        ValueError: training documents of one class alone.
    """
    sizes = np.bincount(train.labels, minlength=2)
    if not sizes.all():
        raise ValueError("naive Bayes needs training documents of both classes")
    words = []
    for label in (0, 1):
        mine = train.labels == label
        smoothed = np.bincount(train.tokens[mine][train.valid[mine]], minlength=vocabulary) + 1
        words.append(np.log(smoothed / smoothed.sum()))
    evidence = (words[1] - words[0])[test.tokens] * test.valid
    return np.log(sizes[1] / sizes[0]) + evidence.sum(axis=1)
