"""Vocabularies of words: the known ones, and what a model is told of the others."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

_LONGEST_ENDING = 4
_CLASS_TYPES = 10
"""rare training words that an ending needs to become a class of its own"""
_RARE = 5
"""occurrences up to which a training word stands for the words that training has not seen"""


@dataclass(frozen=True)
class ShapeVocabulary:
    """Words that were seen often enough, and classes of all others by capitals, digits and ending.

    The unknown word *Blorbing* in the midst of a sentence is ``<Cap -ing>``: the class has the longest ending, of at
    most four letters, that ten or more rare training words of the same shape share. The shapes are ``low``, ``Cap``,
    ``Start`` (capital at the start of a sentence, where it tells little), ``digit`` and ``sign`` (no letters). Such
    features are those of Huang, Xu & Yu 2015, arXiv:1508.01991, section 4.2.

    A capitalised word at the start of a sentence is the lower-case word where that one occurs within sentences.
    """

    known: dict[str, int]
    """word → index"""
    counts: np.ndarray
    """occurrences in training, ``[known]``"""
    classes: dict[tuple[str, str], int] = dataclasses.field(repr=False)
    """shape and ending → index, after those of all words"""
    _found: dict[tuple[str, int], tuple[int, int]] = dataclasses.field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, sentences: Sequence[Sequence[str]], minimum: int) -> ShapeVocabulary:
        """The vocabulary of training sentences; a known word occurs ``minimum`` times or more."""
        counts = Counter(word for words in sentences for word in words[1:])
        shapes = {word: _shape(word, 1) for word in counts}
        within = set(counts)
        for first in (words[0] for words in sentences):
            word = first.lower() if first.lower() in within else first
            counts[word] += 1
            shapes.setdefault(word, _shape(word, 0))
        known = sorted((word for word, n in counts.items() if n >= minimum), key=lambda word: (-counts[word], word))
        endings = Counter(
            (shape, ending) for word, shape in shapes.items() if counts[word] <= _RARE for ending in _endings(word)
        )
        # A rare name may as well open a sentence as a rare verb may.
        for (shape, ending), n in list(endings.items()):
            if shape in ("low", "Cap"):
                endings["Start", ending] += n
        kept = sorted(key for key, n in endings.items() if n >= _CLASS_TYPES)
        kept += [(shape, "") for shape in ("low", "Cap", "Start", "digit", "sign") if (shape, "") not in kept]
        return cls(
            {word: index for index, word in enumerate(known)},
            np.array([counts[word] for word in known]),
            {key: len(known) + index for index, key in enumerate(kept)},
        )

    @property
    def size(self) -> int:
        """Words and classes."""
        return len(self.known) + len(self.classes)

    def encode(self, words: Sequence[str]) -> tuple[list[int], list[int]]:
        """Of each word of a sentence its index, that of its class if it is unknown; and that of its class anyway."""
        pairs = [self._pair(word, min(place, 1)) for place, word in enumerate(words)]
        return [index for index, _ in pairs], [of_class for _, of_class in pairs]

    def _pair(self, word: str, place: int) -> tuple[int, int]:
        """Index and class of a word at the start of a sentence (``place`` 0) or within; found once for each word."""
        if (word, place) not in self._found:
            of_class = self._class(word, place)
            self._found[word, place] = self._index(word, place, of_class), of_class
        return self._found[word, place]

    def _index(self, word: str, place: int, otherwise: int) -> int:
        lower = self.known.get(word.lower())
        exact = self.known.get(word)
        first, second = (lower, exact) if place == 0 else (exact, lower if word.isupper() else None)
        return next((index for index in (first, second) if index is not None), otherwise)

    def _class(self, word: str, place: int) -> int:
        shape = _shape(word, place)
        return next(self.classes[shape, ending] for ending in _endings(word) if (shape, ending) in self.classes)


def _shape(word: str, place: int) -> str:
    if any(character.isdigit() for character in word):
        return "digit"
    if not any(character.isalpha() for character in word):
        return "sign"
    if not word[0].isupper():
        return "low"
    return "Cap" if place else "Start"


def _endings(word: str) -> Iterable[str]:
    """The last four letters, three, two, one and none; a word is longer than its ending."""
    if not word[-1].isalpha():
        return ("",)
    longest = min(_LONGEST_ENDING, len(word) - 1)
    return [word[len(word) - length :].lower() for length in range(longest, -1, -1)]
