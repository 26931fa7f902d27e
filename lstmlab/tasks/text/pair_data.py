"""Pairs of sequences as symbols and as padded arrays of token numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Int32

from lstmlab.tasks.specs import Split

PAD, START, END, UNKNOWN = 0, 1, 2, 3
SPECIAL = ("<pad>", "<s>", "</s>", "<unk>")
"""the symbols of these four tokens"""


class Corpus(NamedTuple):
    """Pairs of sequences of symbols, and both vocabularies in token order; each begins with ``SPECIAL``."""

    sources: dict[Split, list[Sequence[str]]]
    targets: dict[Split, list[Sequence[str]]]
    """one target for each source"""
    source_symbols: tuple[str, ...]
    target_symbols: tuple[str, ...]


class Symbols(NamedTuple):
    """What a trained model needs of its corpus: both vocabularies and lengths."""

    source: tuple[str, ...]
    target: tuple[str, ...]
    source_length: int
    """symbols in the longest source"""
    target_length: int
    """symbols in the longest target"""


def symbols_of(corpus: Corpus) -> Symbols:
    """The vocabularies of a corpus, and its longest sequences over all splits."""
    longest = [max(len(s) for part in side.values() for s in part) for side in (corpus.sources, corpus.targets)]
    return Symbols(corpus.source_symbols, corpus.target_symbols, *longest)


def padded(rows: Sequence[Sequence[int]], width: int) -> Int32[np.ndarray, "rows width"]:
    """Rows of tokens as one array, padded at the end."""
    table = np.full((len(rows), width), PAD, np.int32)
    for row, values in zip(table, rows, strict=True):
        row[: len(values)] = values
    return table


def until_end(tokens: Sequence[int]) -> Sequence[int]:
    """The tokens before the first end token or padding."""
    return tokens[: next((i for i, token in enumerate(tokens) if token in (END, PAD)), len(tokens))]
