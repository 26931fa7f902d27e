"""Texts as words: tokenisers, the vocabulary that training has seen, and the Penn Treebank as Mikolov prepared it."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lstmlab.data.download import DataError, fetch

UNKNOWN, END = "<unk>", "<eos>"
PTB_PARTS = {"train": "ptb-train", "validation": "ptb-valid", "test": "ptb-test"}

# A line break; what a text has marked itself; words with inner apostrophes and hyphens; dashes; single signs.
_WORDS = re.compile(r"\n|<unk>|<eos>|[^\W_]+(?:['’-][^\W_]+)*|-{2,}|[^\w\s]|_")
_SPACED = re.compile(r"\n|\S+")
_CLOSING = set(".,;:!?)]")
_OPENING = set("([")


def tokenise(text: str, *, signs: bool = True, lower: bool = False) -> list[str]:
    """Return the words of a text; every line break is the word ``<eos>``.

    With ``signs`` each punctuation sign is a word, so is a dash of several hyphens, and a word keeps the apostrophes
    and hyphens within it (*sworn-brother*, *o'clock*, but *'tis* is ``'`` and ``tis``); otherwise words are what stands
    between spaces, for texts that are tokenised already. ``lower`` takes capitals for small letters.
    """
    text = text.lower() if lower else text
    return [END if word == "\n" else word for word in (_WORDS if signs else _SPACED).findall(text)]


def load_ptb(data_dir: str | os.PathLike[str] | None = None, *, offline: bool = False) -> dict[str, str]:
    """Return the Penn Treebank's text per split: ``train`` (929 589 words with the line ends), ``validation``
    (73 760) and ``test`` (82 430), lower-case, numbers as ``N``, all but the 9999 commonest words as ``<unk>``
    (Mikolov et al. 2010).

    Found in `data_dir` as `ptb/ptb.{train,valid,test}.txt`, or downloaded. The files may not be passed on.

    Raises:
        DataError: a file cannot be had, or is no UTF-8.
    """
    texts = {}
    for split, name in PTB_PARTS.items():
        path = fetch(name, data_dir, offline=offline)
        try:
            texts[split] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise DataError(f"{path} is no text in UTF-8: {error}") from error
    return texts


@dataclass(frozen=True)
class WordVocabulary:
    """The words that a model knows, at their indices; all others are ``<unk>``, which has index 0.

    Attributes:
        words: ``<unk>`` and the known words, each once.
        signs, lower: how a text becomes words, see `tokenise`.

    Raises:
        ValueError: the first word is another than ``<unk>``, or a word stands twice.
    """

    words: tuple[str, ...]
    signs: bool = True
    lower: bool = False

    def __post_init__(self) -> None:
        """Refuse what is no vocabulary."""
        if not self.words or self.words[0] != UNKNOWN:
            raise ValueError(f"the first word of a vocabulary is {UNKNOWN}")
        if len(set(self.words)) != len(self.words):
            raise ValueError("a vocabulary holds each word once")

    @classmethod
    def of(cls, words: Iterable[str], minimum: int, *, signs: bool = True, lower: bool = False) -> Self:
        """Return the vocabulary of the words of a text that occur ``minimum`` times or more, commonest first."""
        counts = Counter(words)
        counts.pop(UNKNOWN, None)
        known = sorted((word for word, n in counts.items() if n >= minimum), key=lambda word: (-counts[word], word))
        return cls((UNKNOWN, *known), signs, lower)

    @property
    def size(self) -> int:
        """Number of words, with ``<unk>``."""
        return len(self.words)

    @cached_property
    def _index(self) -> dict[str, int]:
        return {word: index for index, word in enumerate(self.words)}

    def split(self, text: str) -> list[str]:
        """Return the words of a text, known or not."""
        return tokenise(text, signs=self.signs, lower=self.lower)

    def unknown(self, text: str) -> list[str]:
        """Return the words of a text that are not known, each once."""
        return [word for word in dict.fromkeys(self.split(text)) if word not in self._index]

    def indices(self, words: Sequence[str]) -> NDArray[np.int32]:
        """Return the indices of words, int32 [words]; 0 for unknown ones."""
        return np.fromiter((self._index.get(word, 0) for word in words), np.int32, len(words))

    def encode(self, text: str) -> NDArray[np.int32]:
        """Return the indices of a text's words, int32 [words]; 0 for unknown ones."""
        return self.indices(self.split(text))

    def decode(self, indices: ArrayLike) -> str:
        """Return the text of a sequence of indices, integers [words].

        Words stand apart by a space and ``<eos>`` breaks the line. Where signs are words of their own, closing ones
        follow their word at once, and opening brackets are followed so.

        Raises:
            ValueError: an index outside 0 … size-1.
        """
        array = np.asarray(indices)
        if array.size and (array.min() < 0 or array.max() >= self.size):
            raise ValueError(f"indices must lie in 0 … {self.size - 1}")
        text, joins = "", True
        for word in (self.words[index] for index in array.tolist()):
            if word == END:
                text, joins = text + "\n", True
                continue
            close = joins or (self.signs and word in _CLOSING)
            text += word if close else f" {word}"
            joins = self.signs and word in _OPENING
        return text
