"""What counting tags gives: the predictors that a tagger must beat."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray


def commonest_tags(
    train: Mapping[str, np.ndarray], known: int, vocabulary: int, tags: int
) -> dict[str, NDArray[np.int64]]:
    """Tables token → tag, ``[vocabulary]``, best informed first.

    * ``word or ending``: the commonest training tag of each token, where a token is a known word or the class of an
      unknown one; a class that no unknown training word has takes the tag of ``word``.
    * ``word``: the same for known words; one tag, the commonest of unknown training words, for all unknown ones.
    * ``commonest tag``: one tag for all.

    Args:
        train: ``words`` and ``tags`` ``[pieces, length]``, ``lengths [pieces]``.
        known: number of known words, whose tokens come first.
        vocabulary: number of tokens.
        tags: number of tags.
    """
    valid = valid_steps(train)
    counts = np.zeros((vocabulary, tags), np.int64)
    np.add.at(counts, (train["words"][valid], train["tags"][valid]), 1)
    of_all, of_unknown = counts.sum(axis=0), counts[known:].sum(axis=0)
    word = counts.argmax(axis=1)
    unknown = (of_unknown if of_unknown.any() else of_all).argmax()
    word[known:] = unknown
    ending = np.where(counts.any(axis=1), counts.argmax(axis=1), word)
    return {"word or ending": ending, "word": word, "commonest tag": np.full(vocabulary, of_all.argmax())}


def share_right(table: NDArray[np.int64], split: Mapping[str, np.ndarray], first: int = 0) -> float:
    """Share of the words of a split, with a token from ``first`` on, whose tag the table gives; 0 without any."""
    counted = valid_steps(split) & (split["words"] >= first)
    right = table[split["words"][counted]] == split["tags"][counted]
    return float(right.mean()) if right.size else 0.0


def valid_steps(split: Mapping[str, np.ndarray]) -> NDArray[np.bool_]:
    """True at words, false at padding, ``[pieces, length]``."""
    return np.arange(split["words"].shape[1]) < split["lengths"][:, None]
