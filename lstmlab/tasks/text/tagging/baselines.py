"""Baselines by counting how often each word has each tag."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

from lstmlab.tasks.specs import Arrays
from lstmlab.tasks.text.tagging.dataset import valid_words


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


def share_right(table: Int64[np.ndarray, " vocabulary"], split: Arrays, first: int = 0) -> float:
    """Accuracy of a table on the words of a split whose token is ``first`` or later; 0 if there are none."""
    counted = valid_words(split) & (split["words"] >= first)
    right = table[split["words"][counted]] == split["tags"][counted]
    return float(right.mean()) if right.size else 0.0
