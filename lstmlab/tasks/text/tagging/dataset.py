"""Part of the Brown corpus as sentences of tagged words, embedded, and a vocabulary with classes of unknown words."""

from __future__ import annotations

import bz2
import dataclasses
import functools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int

from lstmlab.data.resources import embedded_path
from lstmlab.tasks.specs import Arrays

TAGS = ("NOUN", "VERB", "ADJ", "ADV", "PRON", "DET", "ADP", "NUM", "CONJ", "PRT", ".", "X")
"""The universal parts of speech of Petrov, Das & McDonald 2012."""
LETTERS = "NVARPDEUCT.X"
"""One per tag: the embedded file has a letter for each tag."""

_BROWN = {
    "NOUN": "nn nn$ nns nns$ np np$ nps nps$ nr nr$ nrs",
    "VERB": "vb vbd vbg vbn vbz be bed bedz beg bem ben ber bez do dod doz hv hvd hvg hvn hvz md",
    "ADJ": "jj jj$ jjr jjs jjt ap ap$ od",
    "ADV": "rb rb$ rbr rbt rn ql qlp wrb wql *",
    "PRON": "pn pn$ pp$$ ppl ppls ppo pps ppss wpo wps ex",
    "DET": "at dt dt$ dti dts dtx abl abn abx pp$ wdt wp$",
    "ADP": "in cs",
    "NUM": "cd cd$",
    "CONJ": "cc",
    "PRT": "rp to",
    ".": ". , : -- ( ) ' `` ''",
    "X": "uh nil",
}
_UNIVERSAL = {brown: tag for tag, names in _BROWN.items() for brown in names.split()}

_LONGEST_ENDING = 4
_CLASS_TYPES = 10
"""an ending is a class when at least this many rare training words have it"""
_RARE = 5
"""a training word is rare, and so an example of unknown words, when it occurs at most this often"""


class Sentence(NamedTuple):
    """Words, and one tag for each."""

    words: tuple[str, ...]
    tags: tuple[int, ...]
    """indices into :data:`TAGS`"""


def universal(tag: str) -> str:
    """The universal tag of a tag of the Brown corpus.

    * ``-tl``, ``-hl``, ``-nc`` (words of titles, of headlines, cited words) do not change it;
    * a foreign word (``fw-``) is X;
    * a contraction has the tag of its first part: *it's* (``pps+bez``) is PRON, *didn't* (``dod*``) VERB.

    The table differs from Petrov, Das and McDonald's for Brown in a few small classes, where theirs follows the names
    of the tags rather than the words: *all*, *half*, *quite a* (``abn``, ``abl``) are DET and existential *there*
    (``ex``) is PRON, not PRT; interjections are X.

    Raises:
        KeyError: not a tag of the corpus.
    """
    if tag.startswith("fw-"):
        return "X"
    plain = re.sub(r"-(tl|hl|nc|t|n)\b.*", "", tag.lower()).split("+")[0]
    return _UNIVERSAL[plain if plain in _UNIVERSAL else plain.rstrip("*")]


@functools.cache
def load_brown() -> dict[str, tuple[Sentence, ...]]:
    """The embedded documents: name (``ca01`` …) → sentences, in the corpus's order.

    250 of its 500 documents, every second one, so that all 15 categories keep their shares; 580 thousand words.

    Raises:
        DataError: the file is missing from the installation.
    """
    text = bz2.decompress(embedded_path("brown.txt.bz2").read_bytes()).decode("ascii")
    documents = {}
    for part in text.split("\n\n"):
        name, *lines = part.strip().split("\n")
        documents[name] = tuple(
            Sentence(tuple(words.split(" ")), tuple(map(LETTERS.index, tags)))
            for words, tags in zip(lines[::2], lines[1::2], strict=True)
        )
    return documents


def valid_words(split: Arrays) -> Bool[np.ndarray, "pieces length"]:
    """True at words, false at padding; ``split`` has ``words [pieces, length]`` and ``lengths [pieces]``."""
    return np.arange(split["words"].shape[1]) < split["lengths"][:, None]


@dataclasses.dataclass(frozen=True)
class ShapeVocabulary:
    """Known words, and classes of unknown words by capitals, digits and ending.

    The unknown word *Blorbing* within a sentence is ``<Cap -ing>``: its class is given by its shape and by the longest
    ending, of at most four letters, that ten or more rare training words of the same shape share. The shapes are
    ``low``, ``Cap``, ``Start`` (capital at the start of a sentence, where it says little), ``digit`` and ``sign`` (no
    letters). Huang, Xu & Yu 2015, arXiv:1508.01991, section 4.2, use such features.

    A capitalised word at the start of a sentence is read as the lower-case word if that occurs within sentences.
    """

    known: dict[str, int]
    """word → index"""
    counts: Int[np.ndarray, " known"]
    """occurrences in training"""
    classes: dict[tuple[str, str], int] = dataclasses.field(repr=False)
    """shape and ending → index, after those of all words"""
    _cache: dict[tuple[str, int], tuple[int, int]] = dataclasses.field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, sentences: Sequence[Sequence[str]], minimum: int) -> ShapeVocabulary:
        """The vocabulary of training sentences; known words occur ``minimum`` times or more."""
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
        # Any rare word may open a sentence, where it has a capital.
        for (shape, ending), n in list(endings.items()):
            if shape in ("low", "Cap"):
                endings["Start", ending] += n
        classes = sorted(key for key, n in endings.items() if n >= _CLASS_TYPES)
        classes += [(shape, "") for shape in ("low", "Cap", "Start", "digit", "sign") if (shape, "") not in classes]
        return cls(
            {word: index for index, word in enumerate(known)},
            np.array([counts[word] for word in known]),
            {key: len(known) + index for index, key in enumerate(classes)},
        )

    @property
    def size(self) -> int:
        """Number of known words and classes."""
        return len(self.known) + len(self.classes)

    def encode(self, words: Sequence[str]) -> tuple[list[int], list[int]]:
        """For each word of a sentence its index, which is that of its class if it is unknown, and the index of its
        class even if it is known."""
        pairs = [self._pair(word, min(place, 1)) for place, word in enumerate(words)]
        return [index for index, _ in pairs], [class_index for _, class_index in pairs]

    def _pair(self, word: str, place: int) -> tuple[int, int]:
        """Index and class of a word at the start of a sentence (``place`` 0) or within (1)."""
        if (word, place) not in self._cache:
            class_index = self._class(word, place)
            self._cache[word, place] = self._index(word, place, class_index), class_index
        return self._cache[word, place]

    def _index(self, word: str, place: int, default: int) -> int:
        lower = self.known.get(word.lower())
        exact = self.known.get(word)
        first, second = (lower, exact) if place == 0 else (exact, lower if word.isupper() else None)
        return next((index for index in (first, second) if index is not None), default)

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
    """The last four letters, three, two, one and none, in lower case; an ending is shorter than its word."""
    if not word[-1].isalpha():
        return ("",)
    longest = min(_LONGEST_ENDING, len(word) - 1)
    return [word[len(word) - length :].lower() for length in range(longest, -1, -1)]
