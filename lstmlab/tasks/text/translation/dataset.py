"""Sentences in two languages."""

from __future__ import annotations

import functools
import os
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lstmlab.data.archive import read_member
from lstmlab.data.download import DataError, fetch
from lstmlab.tasks.text.pronunciation.dataset import split_of
from lstmlab.tasks.text.translation.number_words import english, german

CORPORA = ("numbers", "multi30k")
LANGUAGES = ("en", "de")
DRAWS = 40_000
_MULTI30K = {"train": "train", "validation": "val", "test": "test"}
_WORD = re.compile(r"\w+(?:[-'’]\w+)*|[^\w\s]")


class Sentences(NamedTuple):
    """Sentences of one split, of which those with the same index say the same."""

    en: list[str]
    de: list[str]


def load_translations(
    corpus: str, digits: int = 6, data_dir: str | os.PathLike[str] | None = None
) -> dict[str, Sentences]:
    """The splits of a corpus.

    * ``numbers``: see :func:`numbers`.
    * ``multi30k``: captions of photographs in English and their German translations (Elliott et al. 2016), the splits
      of the WMT16 task: 29 000, 1014 and 1000.

    Raises:
        DataError: a file cannot be had or read, or the two languages have different numbers of lines.
    """
    if corpus == "numbers":
        return numbers(digits)
    if corpus != "multi30k":
        raise DataError(f"no corpus of translations is called {corpus!r}; there are: {', '.join(CORPORA)}")
    return {split: _read(fetch(f"multi30k_{name}", data_dir), name) for split, name in _MULTI30K.items()}


@functools.cache
def numbers(digits: int) -> dict[str, Sentences]:
    """Numbers of three to six digits at most, in words, drawn at random: short ones as often as long ones.

    All below 100 are for training, where each also stands twenty times, so that every word is known; of the others each
    is in the split of its own hash, whichever other numbers there are. Training has them as often as they were drawn,
    the other splits once.
    """
    drawn = 10 ** np.random.default_rng(20161111).uniform(0, digits, DRAWS)
    parts: dict[str, list[int]] = {"train": [*range(100)] * 20, "validation": [], "test": []}
    for number in sorted(drawn.astype(int).tolist()):
        parts["train" if number < 100 else split_of(str(number))].append(number)
    for split in ("validation", "test"):
        parts[split] = sorted(set(parts[split]))
    return {
        split: Sentences([" ".join(english(n)) for n in part], [" ".join(german(n)) for n in part])
        for split, part in parts.items()
    }


def tokenise(text: str) -> list[str]:
    """Lower-case words, inner hyphens and apostrophes included, and every other sign alone.

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
        # Not splitlines(), which would also split at signs that stand within lines.
        texts.append([line.strip() for line in text.rstrip("\n").split("\n")])
    if len(texts[0]) != len(texts[1]):
        raise DataError(f"{archive}: {name}.en has {len(texts[0])} lines, and {name}.de {len(texts[1])}")
    return Sentences(*texts)
