"""Baselines by counting words, pairs of words, and longer n-grams."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Int

from lstmlab.simple_models.ngrams import best_kneser_ney

ORDERS = (3, 4, 5)


def word_frequencies(
    train: Int[np.ndarray, " words"], test: Int[np.ndarray, " test_words"], size: int
) -> dict[str, float]:
    """Nats per word of the test split under counts of the training split, best first::

        unigram  p(c) = (N(c) + 1)/(N + V)
        bigram   p(c | b) = (N(bc) + T(b) p(c))/(N(b·) + T(b))

    where T(b) is the number of different words that follow b: interpolation by Witten & Bell 1991. ``uniform`` gives
    all ``size`` words the same probability.
    """
    unigram = np.bincount(train, minlength=size) + 1.0
    unigram /= unigram.sum()
    before, after = test[:-1], test[1:]
    pairs, counts = np.unique(train[:-1].astype(np.int64) * size + train[1:], return_counts=True)
    followers = np.bincount(pairs // size, minlength=size)
    total = np.bincount(train[:-1], minlength=size)
    wanted = before.astype(np.int64) * size + after
    place = np.minimum(np.searchsorted(pairs, wanted), len(pairs) - 1)
    seen = np.where(pairs[place] == wanted, counts[place], 0)
    # After a word that nothing has followed in training, the bigram is the unigram.
    weight, context = followers[before], np.maximum(total[before] + followers[before], 1)
    bigram = np.where(total[before] > 0, (seen + weight * unigram[after]) / context, unigram[after])
    nats = {
        "bigram": float(-np.log(bigram).mean()),
        "unigram": float(-np.log(unigram[after]).mean()),
        "uniform": math.log(size),
    }
    return dict(sorted(nats.items(), key=lambda item: item[1]))


def best_ngram(
    train: Int[np.ndarray, " words"],
    validation: Int[np.ndarray, " validation_words"],
    test: Int[np.ndarray, " test_words"],
    size: int,
) -> dict[str, float]:
    """Nats per word of the test split under the n-gram model with modified Kneser–Ney smoothing whose order, 3 to 5, is
    best on validation, see :func:`~lstmlab.simple_models.ngrams.kneser_ney`."""
    order, cost = best_kneser_ney(train, validation, test, size, ORDERS)
    return {f"{order}-gram (Kneser–Ney)": cost}
