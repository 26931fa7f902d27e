"""Baselines by counting how often each word has each tag, and which tags follow each other."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

from lstmlab.simple_models.hmm import Sequences, fit_hmm, viterbi
from lstmlab.tasks.specs import Arrays
from lstmlab.tasks.text.tagging.dataset import valid_words

ADDED = (0.01, 0.1, 1.0)
"""what is added to the counts of a hidden Markov model"""


def commonest_tags(
    train: Arrays, known: int, vocabulary: int, tags: int
) -> dict[str, Int64[np.ndarray, " vocabulary"]]:
    """Tables token → tag; the table with most information comes first.

    * ``word or ending``: the commonest training tag of each token, where a token is a known word or the class of an
      unknown one; for a class without training words, the tag that ``word`` gives.
    * ``word``: the same for known words; the commonest tag of unknown training words for all unknown words.
    * ``commonest tag``: the same tag for all words.

    Args:
        train: ``words`` and ``tags`` ``[pieces, length]``, ``lengths [pieces]``.
        known: number of known words, which are the first tokens.
        vocabulary: number of tokens.
        tags: number of tags.
    """
    valid = valid_words(train)
    counts = np.zeros((vocabulary, tags), np.int64)
    np.add.at(counts, (train["words"][valid], train["tags"][valid]), 1)
    all_words, unknown_words = counts.sum(axis=0), counts[known:].sum(axis=0)
    word = counts.argmax(axis=1)
    word[known:] = (unknown_words if unknown_words.any() else all_words).argmax()
    ending = np.where(counts.any(axis=1), counts.argmax(axis=1), word)
    return {"word or ending": ending, "word": word, "commonest tag": np.full(vocabulary, all_words.argmax())}


def hmm_tags(
    train: Arrays, validation: Arrays, test: Arrays, vocabulary: int, tags: int
) -> Int64[np.ndarray, "pieces length"]:
    """The test tags by a hidden Markov model of first order (:mod:`lstmlab.simple_models.hmm`); what is added to its
    counts is chosen on validation."""
    train_part, held_out, words = _sequences(train), _sequences(validation), _sequences(test)
    models = [fit_hmm(train_part, tags, vocabulary, added) for added in ADDED]
    right = [share_right(viterbi(model, held_out.tokens, held_out.lengths), validation) for model in models]
    return viterbi(models[int(np.argmax(right))], words.tokens, words.lengths)


def _sequences(split: Arrays) -> Sequences:
    return Sequences(*(np.asarray(split[name]) for name in ("words", "tags", "lengths")))


def share_right(guesses: Int64[np.ndarray, "pieces length"], split: Arrays, first: int = 0) -> float:
    """Accuracy of tags on the words of a split whose token is ``first`` or later; 0 if there are none."""
    counted = valid_words(split) & (split["words"] >= first)
    right = guesses[counted] == split["tags"][counted]
    return float(right.mean()) if right.size else 0.0
