"""Baselines by counting characters, pairs of characters, and longer n-grams."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Int

from lstmlab.simple_models.ngrams import best_witten_bell

HIGHEST_ORDER = 6
PIECE = 1_000_000


def character_frequencies(
    train: Int[np.ndarray, " tokens"], test: Int[np.ndarray, " test_tokens"], size: int
) -> dict[str, float]:
    """Bits per character of the test split under add-one-smoothed counts of the training split, best first::

    unigram  p(c) = (N(c) + 1)/(N + V)        bigram  p(c | b) = (N(bc) + 1)/(N(b·) + V)

    and under a uniform distribution over all ``size`` characters.
    """
    counts = count_pairs(train, size)
    unigram = counts.sum(axis=0) + 1
    unigram[train[0]] += 1
    bigram = (counts + 1) / (counts + 1).sum(axis=1, keepdims=True)
    return {
        "bigram": float(-np.log2(bigram[test[:-1], test[1:]]).mean()),
        "unigram": float(-np.log2((unigram / unigram.sum())[test[1:]]).mean()),
        "uniform": math.log2(size),
    }


def best_ngram(
    train: Int[np.ndarray, " tokens"],
    validation: Int[np.ndarray, " validation_tokens"],
    test: Int[np.ndarray, " test_tokens"],
    size: int,
) -> dict[str, float]:
    """Bits per character of the test split under the n-gram model by Witten & Bell whose order, 1 to 6, is best on
    validation, see :func:`~lstmlab.simple_models.ngrams.witten_bell`."""
    order, cost = best_witten_bell(train, validation, test, size, HIGHEST_ORDER)
    return {f"{order}-gram (Witten–Bell)": cost / math.log(2)}


def count_pairs(tokens: Int[np.ndarray, " tokens"], size: int) -> Int[np.ndarray, "size size"]:
    """How often one token follows another, piece by piece: a text may have 10⁸ of them."""
    counts = np.zeros(size * size, np.int64)
    for first in range(0, len(tokens) - 1, PIECE):
        piece = tokens[first : first + PIECE + 1].astype(np.int32)
        counts += np.bincount(piece[:-1] * size + piece[1:], minlength=size * size)
    return counts.reshape(size, size)
