"""Bags of words and of pairs of words: multinomial naive Bayes, and counts for other classifiers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int
from scipy import sparse

from lstmlab.simple_models.classifiers import Labelled


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


def word_and_pair_counts(train: Documents, *others: Documents, vocabulary: int) -> list[Labelled]:
    """Of each document which words, and which pairs of neighbouring words, occur in it; of words and pairs that two
    training documents have or more. The counts are 0 or 1, sparse."""
    found = [_terms(part, vocabulary) for part in (train, *others)]
    terms, documents = np.unique(found[0][1], return_counts=True)
    terms = terms[documents > 1]
    if not len(terms):
        raise ValueError("no word occurs in two training documents")
    matrices = []
    for part, (rows, codes) in zip((train, *others), found, strict=True):
        place = np.minimum(np.searchsorted(terms, codes), len(terms) - 1)
        known = terms[place] == codes
        shape = (len(part.labels), len(terms))
        matrix = sparse.csr_matrix((np.ones(known.sum()), (rows[known], place[known])), shape)
        matrices.append(Labelled(matrix, part.labels))
    return matrices


def _terms(part: Documents, vocabulary: int) -> tuple[np.ndarray, np.ndarray]:
    """Document and code of every word and pair, each once per document; a pair's code is at or above V."""
    words = part.tokens.astype(np.int64)
    pairs = vocabulary + words[:, :-1] * vocabulary + words[:, 1:]
    rows, codes = [], []
    for tokens, valid in ((words, part.valid), (pairs, part.valid[:, 1:])):
        rows.append(np.nonzero(valid)[0])
        codes.append(tokens[valid])
    both = np.unique(np.stack([np.concatenate(rows), np.concatenate(codes)]), axis=1)
    return both[0], both[1]
