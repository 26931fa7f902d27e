"""Two texts of Shakespeare, and the vocabulary that turns characters into indices."""

from __future__ import annotations

import gzip
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lstmlab.data.download import DataError, fetch
from lstmlab.data.resources import embedded_path

CORPORA = ("shakespeare", "tiny_shakespeare")


def load_text(corpus: str, data_dir: str | os.PathLike[str] | None = None, *, offline: bool = False) -> str:
    """Return a corpus as one string.

    * `shakespeare`: nine whole plays in the order in which they were written, from `Richard III` to `The Tempest`;
      1.12 million characters, 68 different ones, ASCII. Embedded.
    * `tiny_shakespeare`: 1 115 394 characters, 65 different ones, from Karpathy's char-rnn (2015). Found in `data_dir`
      as `tinyshakespeare/input.txt` or `input.txt`, or downloaded.

    Args:
        corpus: one of the names above.
        data_dir: directory of downloads; None as in `lstmlab.data.download.data_directory`.
        offline: do not use the network.

    Raises:
        DataError: unknown corpus, or its file is missing and cannot be downloaded.
    """
    if corpus == "shakespeare":
        return gzip.decompress(embedded_path("shakespeare.txt.gz").read_bytes()).decode("ascii")
    if corpus == "tiny_shakespeare":
        return fetch(corpus, data_dir, offline=offline).read_bytes().decode("utf-8")
    raise DataError(f"no corpus is called {corpus!r}; there are: {', '.join(CORPORA)}")


def _code_points(text: str) -> NDArray[np.uint32]:
    """Return the Unicode code point of every character [length]."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


@dataclass(frozen=True)
class CharVocabulary:
    """A bijection between characters and the indices 0 … size-1.

    To save a vocabulary, save the string `characters`; `CharVocabulary(characters)` restores it.

    Attributes:
        characters: every known character once; its position is its index.

    Raises:
        ValueError: no characters, or a character that occurs twice.
    """

    characters: str

    def __post_init__(self) -> None:
        """Check that the characters are a bijection."""
        if not self.characters:
            raise ValueError("a vocabulary needs at least one character")
        if len(set(self.characters)) != len(self.characters):
            raise ValueError("a vocabulary holds each character once")

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Return the vocabulary of all characters of a text, sorted by code point."""
        return cls("".join(sorted(set(text))))

    def plain(self) -> dict[str, Any]:
        """The vocabulary as plain values, see :meth:`from_plain`."""
        return {"characters": self.characters}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Return the vocabulary that :meth:`plain` has turned into these values.

        Raises:
            KeyError, TypeError, ValueError: values that do not come from :meth:`plain`.
        """
        if not isinstance(plain["characters"], str):
            raise TypeError(f"characters must be a string, not {type(plain['characters']).__name__}")
        return cls(plain["characters"])

    @property
    def size(self) -> int:
        """Number of characters."""
        return len(self.characters)

    @cached_property
    def _sorted(self) -> tuple[NDArray[np.uint32], NDArray[np.int32]]:
        """The code points in rising order [size], and the index of each [size]."""
        points = _code_points(self.characters)
        order = np.argsort(points)
        return points[order], order.astype(np.int32)

    def encode(self, text: str) -> NDArray[np.int32]:
        """Return the indices of a text's characters, int32 [len(text)].

        Raises:
            ValueError: a character that is not in the vocabulary; the message names it.
        """
        points, indices = self._sorted
        wanted = _code_points(text)
        place = np.minimum(np.searchsorted(points, wanted), self.size - 1)
        unknown = np.flatnonzero(points[place] != wanted)
        if unknown.size:
            position = int(unknown[0])
            raise ValueError(
                f"the vocabulary of {self.size} characters has no {text[position]!r} "
                f"(U+{wanted[position]:04X}, at position {position})"
            )
        return indices[place]

    def decode(self, indices: ArrayLike) -> str:
        """Return the text of a sequence of indices, integers [length].

        Raises:
            ValueError: not one-dimensional, not integers, or an index outside 0 … size-1.
        """
        array = np.asarray(indices)
        if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
            raise ValueError(f"expected integers [length], got {array.dtype} {array.shape}")
        if array.size and (array.min() < 0 or array.max() >= self.size):
            raise ValueError(f"indices must lie in 0 … {self.size - 1}")
        return "".join(self.characters[index] for index in array.tolist())
