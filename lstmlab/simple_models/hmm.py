"""Hidden Markov models of labelled sequences: counted, smoothed, decoded by Viterbi's algorithm."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int


class Sequences(NamedTuple):
    """Sequences of tokens, each with a tag, padded at the end."""

    tokens: Int[np.ndarray, "sequences length"]
    tags: Int[np.ndarray, "sequences length"]
    lengths: Int[np.ndarray, " sequences"]

    @property
    def valid(self) -> np.ndarray:
        """True at tokens, false at padding."""
        return np.arange(self.tokens.shape[1]) < self.lengths[:, None]


class Hmm(NamedTuple):
    """Natural logarithms of probabilities."""

    first: Float[np.ndarray, " tags"]
    """of the tag that a sequence begins with"""
    next: Float[np.ndarray, "tags tags"]
    """``[t, u]``: of tag u after tag t"""
    emitted: Float[np.ndarray, "tags tokens"]


def fit_hmm(train: Sequences, tags: int, tokens: int, added: float) -> Hmm:
    """A model of first order whose counts of tags and tokens are all increased by ``added``."""
    valid = train.valid
    first = np.bincount(train.tags[train.lengths > 0, 0], minlength=tags)
    follow, emitted = np.zeros((tags, tags)), np.zeros((tags, tokens))
    both = valid[:, 1:]
    np.add.at(follow, (train.tags[:, :-1][both], train.tags[:, 1:][both]), 1)
    np.add.at(emitted, (train.tags[valid], train.tokens[valid]), 1)
    return Hmm(*(_log_shares(counts + added) for counts in (first.astype(float), follow, emitted)))


def viterbi(
    model: Hmm, tokens: Int[np.ndarray, "sequences length"], lengths: Int[np.ndarray, " sequences"]
) -> Int[np.ndarray, "sequences length"]:
    """The most probable tags of each sequence; at its padding the last one again. Sequences hold a token or more."""
    emitted = model.emitted.T[tokens]
    score, back = model.first + emitted[:, 0], []
    stay = np.arange(len(model.first))
    for step in range(1, tokens.shape[1]):
        paths = score[:, :, None] + model.next
        inside = (step < lengths)[:, None]
        back.append(np.where(inside, paths.argmax(axis=1), stay))
        score = np.where(inside, paths.max(axis=1) + emitted[:, step], score)
    best = [score.argmax(axis=1)]
    for pointers in reversed(back):
        best.append(np.take_along_axis(pointers, best[-1][:, None], axis=1)[:, 0])
    return np.stack(best[::-1], axis=1)


def _log_shares(counts: np.ndarray) -> np.ndarray:
    return np.log(counts / counts.sum(axis=-1, keepdims=True))
