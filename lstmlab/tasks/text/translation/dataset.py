"""Sentences in two languages: numbers in words, generated, and captions of photographs."""

from __future__ import annotations

import functools
import os
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lstmlab.data.archive import read_member
from lstmlab.data.download import DataError, fetch
from lstmlab.tasks.specs import Split
from lstmlab.tasks.text.splits import split_of

CORPORA = ("numbers", "multi30k")
LANGUAGES = ("en", "de")
DRAWS = 40_000
"""numbers drawn, with repetitions"""
_MULTI30K: dict[Split, str] = {"train": "train", "validation": "val", "test": "test"}
_WORD = re.compile(r"\w+(?:[-'’]\w+)*|[^\w\s]")

_ENGLISH = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
_ENGLISH_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_GERMAN = [
    "null", "ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf",
    "dreizehn", "vierzehn", "fünfzehn", "sechzehn", "siebzehn", "achtzehn", "neunzehn",
]  # fmt: skip
_GERMAN_TENS = ["zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig"]
LARGEST = 999_999
"""the largest number that has words here"""


class Sentences(NamedTuple):
    """The sentences of one split; those with the same index are translations of each other."""

    en: list[str]
    de: list[str]


def load_translations(
    corpus: str, digits: int = 6, data_dir: str | os.PathLike[str] | None = None
) -> dict[Split, Sentences]:
    """The splits of a corpus.

    * ``numbers``: see :func:`numbers`.
    * ``multi30k``: captions of photographs in English and their German translations (Elliott et al. 2016), the splits
      of the WMT16 task: 29 000, 1014 and 1000.

    Raises:
        DataError: a file is missing and cannot be downloaded or read, or has different numbers of lines for the two
            languages.
    """
    if corpus == "numbers":
        return numbers(digits)
    if corpus != "multi30k":
        raise DataError(f"no corpus of translations is called {corpus!r}; there are: {', '.join(CORPORA)}")
    return {split: _read(fetch(f"multi30k_{name}", data_dir), name) for split, name in _MULTI30K.items()}


@functools.cache
def numbers(digits: int) -> dict[Split, Sentences]:
    """Random numbers of at most ``digits`` digits, in words, log-uniform: short numbers as often as long ones.

    Numbers below 100 are in training only, where each is added twenty times, so that every word is known. The split of
    any other number is :func:`~lstmlab.tasks.text.splits.split_of` its digits. Training has each number as often as it
    was drawn, validation and test have it once.
    """
    drawn = 10 ** np.random.default_rng(20161111).uniform(0, digits, DRAWS)
    parts: dict[Split, list[int]] = {"train": [*range(100)] * 20, "validation": [], "test": []}
    for number in sorted(drawn.astype(int).tolist()):
        parts["train" if number < 100 else split_of(str(number))].append(number)
    parts = {split: part if split == "train" else sorted(set(part)) for split, part in parts.items()}
    return {
        split: Sentences([" ".join(english_words(n)) for n in part], [" ".join(german_words(n)) for n in part])
        for split, part in parts.items()
    }


def tokenise(text: str) -> list[str]:
    """Lower-case words, with inner hyphens and apostrophes; every other sign is a token of its own.

    >>> tokenise("Zwei Männer stehen am Herd.")
    ['zwei', 'männer', 'stehen', 'am', 'herd', '.']
    """
    return _WORD.findall(text.lower())


def _read(archive: Path, name: str) -> Sentences:
    texts = []
    for language in LANGUAGES:
        try:
            text = read_member(archive, f"{name}.{language}").decode("utf-8")
        except UnicodeDecodeError as error:
            raise DataError(f"{archive}: {name}.{language} is not UTF-8 text ({error.reason})") from error
        # Not splitlines(), which also splits at other characters, such as U+2028.
        texts.append([line.strip() for line in text.rstrip("\n").split("\n")])
    if len(texts[0]) != len(texts[1]):
        raise DataError(f"{archive}: {name}.en has {len(texts[0])} lines, and {name}.de {len(texts[1])}")
    return Sentences(*texts)


def english_words(number: int) -> list[str]:
    """The English words of a number from 0 to 999 999, without *and* and hyphens.

    >>> english_words(21_304)
    ['twenty', 'one', 'thousand', 'three', 'hundred', 'four']
    """
    thousands, rest = divmod(_checked(number), 1000)
    words = [*_english_below_1000(thousands), "thousand"] if thousands else []
    return words + _english_below_1000(rest) if rest or not words else words


def german_words(number: int) -> list[str]:
    """The parts of the German word of a number from 0 to 999 999: ones come before tens, and 1 is *eins* at the end.

    >>> german_words(21_301)
    ['ein', 'und', 'zwanzig', 'tausend', 'drei', 'hundert', 'eins']
    """
    thousands, rest = divmod(_checked(number), 1000)
    words = [*_german_below_1000(thousands), "tausend"] if thousands else []
    words += _german_below_1000(rest) if rest or not words else []
    return [*words[:-1], "eins"] if words[-1] == "ein" else words


def _checked(number: int) -> int:
    if not 0 <= number <= LARGEST:
        raise ValueError(f"{number} is not between 0 and {LARGEST}")
    return number


def _english_below_1000(number: int) -> list[str]:
    hundreds, rest = divmod(number, 100)
    words = [_ENGLISH[hundreds], "hundred"] if hundreds else []
    if rest >= 20:
        words.append(_ENGLISH_TENS[rest // 10 - 2])
        rest %= 10
        return [*words, _ENGLISH[rest]] if rest else words
    return [*words, _ENGLISH[rest]] if rest or not words else words


def _german_below_1000(number: int) -> list[str]:
    hundreds, rest = divmod(number, 100)
    words = [_GERMAN[hundreds], "hundert"] if hundreds else []
    if rest >= 20:
        tens, ones = divmod(rest, 10)
        return words + ([_GERMAN[ones], "und"] if ones else []) + [_GERMAN_TENS[tens - 2]]
    return [*words, _GERMAN[rest]] if rest or not words else words
