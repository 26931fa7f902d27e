"""Texts as words: the tokeniser, the vocabulary of the training split, the Penn Treebank and WikiText-2."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lstmlab.data.archive import read_members
from lstmlab.data.download import DataError, fetch
from lstmlab.tasks.specs import Split

UNKNOWN, END = "<unk>", "<eos>"
PTB_PARTS: dict[Split, str] = {"train": "ptb-train", "validation": "ptb-valid", "test": "ptb-test"}
WIKITEXT_PARTS: dict[Split, str] = {
    "train": "wikitext-2/wiki.train.tokens",
    "validation": "wikitext-2/wiki.valid.tokens",
    "test": "wikitext-2/wiki.test.tokens",
}

# A line break; the marks <unk> and <eos>; words with inner apostrophes and hyphens; dashes; single signs.
_WORDS = re.compile(r"\n|<unk>|<eos>|[^\W_]+(?:['’-][^\W_]+)*|-{2,}|[^\w\s]|_")
_SPACED = re.compile(r"\n|\S+")
_CLOSING = set(".,;:!?)]")
_OPENING = set("([")


def tokenise(text: str, *, signs: bool = True, lower: bool = False) -> list[str]:
    """Return the words of a text; every line break is the word ``<eos>``.

    With ``signs`` each punctuation sign is a word, as is a dash of several hyphens, and a word keeps the apostrophes
    and hyphens within it (*sworn-brother*, *o'clock*, but *'tis* is ``'`` and ``tis``). Without, words are separated by
    spaces, as in texts that are already tokenised. ``lower`` converts the text to lower case first.
    """
    text = text.lower() if lower else text
    return [END if word == "\n" else word for word in (_WORDS if signs else _SPACED).findall(text)]


def load_ptb(data_dir: str | os.PathLike[str] | None = None, *, offline: bool = False) -> dict[Split, str]:
    """Return the Penn Treebank's text per split: ``train`` (929 589 words with the line ends), ``validation``
    (73 760) and ``test`` (82 430), lower-case, numbers as ``N``, all but the 9999 commonest words as ``<unk>``
    (Mikolov et al. 2010).

    Found in `data_dir` as `ptb/ptb.{train,valid,test}.txt`, or downloaded. The files may not be redistributed.

    Raises:
        DataError: a file is missing and cannot be downloaded, or is not UTF-8.
    """
    paths = [fetch(name, data_dir, offline=offline) for name in PTB_PARTS.values()]
    texts = [_decoded(path.read_bytes(), str(path)) for path in paths]
    return dict(zip(PTB_PARTS, texts, strict=True))


def load_wikitext2(data_dir: str | os.PathLike[str] | None = None, *, offline: bool = False) -> dict[Split, str]:
    """Return WikiText-2 per split: whole articles of the English Wikipedia of 2016, ``train`` (2 088 628 words with the
    line ends), ``validation`` (217 646) and ``test`` (245 569), tokenised, with capitals and numbers. Headings are
    between equals signs; a comma, a full stop or a hyphen within a word is ``@,@``, ``@.@`` or ``@-@``; words that
    occur fewer than three times are ``<unk>`` (Merity et al. 2016, arXiv:1609.07843).

    Found in `data_dir` as `wikitext2/wikitext-2-v1.zip`, where torchtext puts it, or downloaded (4.5 MB).

    Raises:
        DataError: the archive is missing and cannot be downloaded, lacks a split, or is not UTF-8.
    """
    path = fetch("wikitext2", data_dir, offline=offline)
    wanted = set(WIKITEXT_PARTS.values())
    texts = {name: _decoded(content, f"{name} in {path}") for name, content in read_members(path, wanted.__contains__)}
    for name in WIKITEXT_PARTS.values():
        if name not in texts:
            raise DataError(f"{path} holds no file {name}")
    return {split: texts[name] for split, name in WIKITEXT_PARTS.items()}


def _decoded(content: bytes, where: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{where} is no text in UTF-8: {error}") from error


@dataclass(frozen=True)
class WordVocabulary:
    """The words that a model knows; a word's index is its place. All others are ``<unk>``, which has index 0.

    Attributes:
        words: ``<unk>`` and the known words, each once.
        signs, lower: how a text is split into words, see `tokenise`.

    Raises:
        ValueError: the first word is not ``<unk>``, or a word occurs twice.
    """

    words: tuple[str, ...]
    signs: bool = True
    lower: bool = False

    def __post_init__(self) -> None:
        """Check that the words are a vocabulary."""
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

    def plain(self) -> dict[str, Any]:
        """The vocabulary as plain values, see :meth:`from_plain`."""
        # One string, as no word holds a line break: in a list, the words NaN and Infinity would be read as numbers.
        return {"words": "\n".join(self.words), "signs": self.signs, "lower": self.lower}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Return the vocabulary that :meth:`plain` has turned into these values.

        Raises:
            KeyError, TypeError, ValueError: values that do not come from :meth:`plain`.
        """
        if not isinstance(plain["words"], str):
            raise TypeError(f"words must be a string, not {type(plain['words']).__name__}")
        return cls(tuple(plain["words"].split("\n")), bool(plain["signs"]), bool(plain["lower"]))

    @property
    def size(self) -> int:
        """Number of words, ``<unk>`` included."""
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

        Words are separated by spaces, and ``<eos>`` is a line break. Where signs are words, there is no space before
        closing signs and none after opening brackets.

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
