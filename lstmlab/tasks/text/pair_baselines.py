"""Baselines for pairs of sequences: frequencies of target tokens, without the source."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

from lstmlab.tasks.text.pair_data import END, PAD


def target_frequencies(
    train: Int[np.ndarray, "pairs target"], test: Int[np.ndarray, "test_pairs target"], size: int
) -> dict[str, float]:
    """Nats per test token of add-one-smoothed training frequencies, best first::

        bigram   p(c | b) = (N(bc) + 1)/(N(b·) + V)        unigram  p(c) = (N(c) + 1)/(N + V)

    over the V tokens that can be predicted: not padding and not the start token.

    Args:
        train: target tokens from start to end token, padded.
        test: the same of the test split.
        size: number of target tokens, padding and start token included.
    """
    before, after = _bigrams(test)
    counts = np.zeros((size, size))
    np.add.at(counts, _bigrams(train), 1)
    nats = {}
    for name, table in (("bigram", counts), ("unigram", np.broadcast_to(counts.sum(0), counts.shape))):
        smoothed = table[:, END:] + 1
        share = smoothed / smoothed.sum(1, keepdims=True)
        nats[name] = float(-np.mean(np.log(share[before, after - END])))
    return dict(sorted(nats.items(), key=lambda item: item[1]))


def _bigrams(
    table: Int[np.ndarray, "pairs target"],
) -> tuple[Int[np.ndarray, " tokens"], Int[np.ndarray, " tokens"]]:
    """Every token but padding, behind the token before it."""
    valid = table[:, 1:] != PAD
    return table[:, :-1][valid], table[:, 1:][valid]
