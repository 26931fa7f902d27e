"""text8 and enwik8, texts of a hundred million bytes, and the vocabulary that turns bytes into indices."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lstmlab.data.archive import read_member
from lstmlab.data.download import DataError, fetch

BYTE_CORPORA = ("text8", "enwik8")


def load_bytes(
    corpus: str, data_dir: str | os.PathLike[str] | None = None, *, offline: bool = False
) -> NDArray[np.uint8]:
    """Return a corpus as bytes, uint8 [length].

    * `enwik8`: the first 10⁸ bytes of the English Wikipedia of March 2006, with its markup, 205 different ones.
    * `text8`: 10⁸ characters of the same text, cleaned: a to z and the space, 27 different ones.

    Both are found in `data_dir` as `NAME.zip`, or downloaded (Mahoney 2006).

    Args:
        corpus: one of the names above.
        data_dir: directory of downloads; None as in `lstmlab.data.download.data_directory`.
        offline: do not use the network.

    Raises:
        DataError: unknown corpus, or its file is missing and cannot be downloaded.
    """
    if corpus not in BYTE_CORPORA:
        raise DataError(f"no corpus of bytes is called {corpus!r}; there are: {', '.join(BYTE_CORPORA)}")
    path = fetch(corpus, data_dir, offline=offline)
    return np.frombuffer(read_member(path, corpus), np.uint8)


@dataclass(frozen=True)
class ByteVocabulary:
    """A bijection between byte values and the indices 0 … size-1; texts are read and written as UTF-8.

    Attributes:
        values: every known byte once; its position is its index.

    Raises:
        ValueError: no bytes, or a byte that occurs twice.
    """

    values: bytes

    def __post_init__(self) -> None:
        """Check that the bytes are a bijection."""
        if not self.values:
            raise ValueError("a vocabulary needs at least one byte")
        if len(set(self.values)) != len(self.values):
            raise ValueError("a vocabulary holds each byte once")

    @classmethod
    def of(cls, content: NDArray[np.uint8]) -> Self:
        """Return the vocabulary of all bytes of a text, in rising order."""
        present = np.zeros(256, bool)
        present[content] = True
        return cls(bytes(np.flatnonzero(present).tolist()))

    def plain(self) -> dict[str, Any]:
        """The vocabulary as plain values, see :meth:`from_plain`."""
        return {"bytes": list(self.values)}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Return the vocabulary that :meth:`plain` has turned into these values.

        Raises:
            KeyError, TypeError, ValueError: values that do not come from :meth:`plain`.
        """
        return cls(bytes(plain["bytes"]))

    @property
    def size(self) -> int:
        """Number of different bytes."""
        return len(self.values)

    @cached_property
    def _index(self) -> NDArray[np.int16]:
        """The index of each byte value, -1 if unknown, [256]."""
        index = np.full(256, -1, np.int16)
        index[list(self.values)] = np.arange(self.size)
        return index

    def indices(self, content: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the indices of bytes of this vocabulary, uint8 [length]."""
        return self._index.astype(np.uint8)[content]

    def encode(self, text: str) -> NDArray[np.int32]:
        """Return the indices of a text's bytes, int32 [bytes].

        Raises:
            ValueError: a character with a byte that is not in the vocabulary; the message names it.
        """
        for position, character in enumerate(text):
            if any(self._index[byte] < 0 for byte in character.encode("utf-8", "surrogatepass")):
                raise ValueError(f"the vocabulary of {self.size} bytes has no {character!r} (at position {position})")
        return self._index[np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)].astype(np.int32)

    def decode(self, indices: ArrayLike) -> str:
        """Return the text of a sequence of indices, integers [length]; bytes that are not UTF-8 become U+FFFD.

        Raises:
            ValueError: an index outside 0 … size-1.
        """
        array = np.asarray(indices)
        if array.size and (array.min() < 0 or array.max() >= self.size):
            raise ValueError(f"indices must lie in 0 … {self.size - 1}")
        return bytes(self.values[index] for index in array.tolist()).decode("utf-8", "replace")
