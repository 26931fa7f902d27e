"""Two ways to split text into training, validation and test data."""

from __future__ import annotations

import zlib

import numpy as np
from jaxtyping import Shaped

from lstmlab.tasks.specs import Split

_TEST, _VALIDATION = range(10), range(10, 15)


def contiguous(tokens: Shaped[np.ndarray, " tokens"]) -> dict[Split, Shaped[np.ndarray, " part"]]:
    """Split one long text: the first 90 % for training, the next 5 % for validation, the last 5 % for the test."""
    size = len(tokens)
    first, second = size * 90 // 100, size * 95 // 100
    return {"train": tokens[:first], "validation": tokens[first:second], "test": tokens[second:]}


def split_of(word: str) -> Split:
    """The split of a word by its CRC-32 modulo 100: test below 10, validation below 15, else train.

    The split of a word does not depend on which other words there are.
    """
    bucket = zlib.crc32(word.encode()) % 100
    return "test" if bucket in _TEST else "validation" if bucket in _VALIDATION else "train"
