"""Baselines for pairs of sequences: frequencies of target tokens, without the source and with it."""

from __future__ import annotations

from typing import NamedTuple

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


class PairTokens(NamedTuple):
    """Source and target tokens of a split, padded."""

    source: Int[np.ndarray, "pairs source"]
    target: Int[np.ndarray, "pairs target"]


def source_ngram(
    train: PairTokens, validation: PairTokens, test: PairTokens, sizes: tuple[int, int]
) -> dict[str, float]:
    """Nats per test token of the target, given the token before it and those of the source at its own place, the next
    and the one before: counts that are interpolated as by Witten & Bell 1991, from no context to all four tokens. How
    many are read is chosen on validation. ``sizes`` are the numbers of source and target tokens.
    """
    features, after = _examples(train)
    held_out, tested = (_examples(part) for part in (validation, test))
    p = [np.full(len(tokens), 1 / (sizes[1] - END)) for _, tokens in (held_out, tested)]
    known = [np.zeros(len(tokens), np.int64) for _, tokens in (held_out, tested)]
    contexts, best = np.zeros(len(after), np.int64), (np.inf, np.inf)
    for level in range(len(features) + 1):
        if level:
            codes, contexts = np.unique(contexts * max(sizes) + features[level - 1], return_inverse=True)
            known = [
                np.where(of >= 0, _place(codes, of * max(sizes) + part[level - 1]), -1)
                for of, (part, _) in zip(known, (held_out, tested), strict=True)
            ]
        keys, counts = np.unique(contexts * sizes[1] + after, return_counts=True)
        kinds = np.bincount(keys // sizes[1])
        total = np.bincount(contexts) + kinds
        for i, (of, (_, tokens)) in enumerate(zip(known, (held_out, tested), strict=True)):
            place = _place(keys, of * sizes[1] + tokens)
            seen = np.where(place >= 0, counts[place], 0)
            p[i] = np.where(of >= 0, (seen + kinds[of] * p[i]) / total[of], p[i])
        best = min(best, tuple(float(-np.log(each).mean()) for each in p))
    return {"n-gram with the source": best[1]}


def _place(keys: Int[np.ndarray, " keys"], wanted: Int[np.ndarray, " wanted"]) -> Int[np.ndarray, " wanted"]:
    """Where the wanted numbers are in the rising ``keys``; -1 for those that are not there."""
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, place, -1)


def _examples(part: PairTokens) -> tuple[list[Int[np.ndarray, " tokens"]], Int[np.ndarray, " tokens"]]:
    """What precedes each target token, most telling first, and the tokens themselves."""
    before, after = _bigrams(part.target)
    valid = part.target[:, 1:] != PAD
    width = valid.shape[1]
    source = np.full((len(part.source), width + 2), PAD, np.int64)
    read = min(part.source.shape[1], width + 1)
    source[:, 1 : 1 + read] = part.source[:, :read]
    here, following, previous = (source[:, offset : offset + width][valid] for offset in (1, 2, 0))
    return [before.astype(np.int64), here, following, previous], after.astype(np.int64)
