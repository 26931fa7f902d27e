"""Reviews as tokens with a label: generated ones, and IMDB's."""

from __future__ import annotations

import functools
import os
import re
from typing import NamedTuple

import numpy as np

from lstmlab.data.download import DataError, fetch
from lstmlab.tasks.text.sentiment.imdb import read_imdb

CORPORA = ("generated", "imdb")
_COUNTS = {"train": 8000, "validation": 1000, "test": 2000}
_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?|[!?.,;:()]")

_GOOD = [
    "brilliant",
    "charming",
    "delightful",
    "excellent",
    "gripping",
    "lovely",
    "moving",
    "superb",
    "touching",
    "witty",
]
_BAD = ["awful", "boring", "clumsy", "dreadful", "dull", "feeble", "lifeless", "silly", "tedious"]
_THINGS = [
    "acting",
    "camera",
    "cast",
    "dialogue",
    "direction",
    "ending",
    "music",
    "pace",
    "plot",
    "script",
    "story",
    "editing",
]
_PEOPLE = ("my friend", "the critic", "my sister", "the poster", "a newspaper", "everybody")
_PLAIN = (
    "we saw it on a {day}", "it runs for two hours", "the hall was half full", "it was shot in {place}",
    "the tickets were sold on {day}", "the story begins in {place}", "they show it until {day}",
)  # fmt: skip
_DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_PLACES = ["paris", "rome", "vienna", "london", "madrid", "berlin", "oslo"]


class Reviews(NamedTuple):
    """Tokenised reviews of one split."""

    texts: list[list[str]]
    labels: np.ndarray
    """1 positive, 0 negative, int32 ``[reviews]``"""


def load_reviews(corpus: str, data_dir: str | os.PathLike[str] | None = None) -> dict[str, Reviews]:
    """The splits of a corpus.

    * ``generated``: 8000/1000/2000 reviews of a seeded grammar (:func:`generate`); nobody wrote them.
    * ``imdb``: the Large Movie Review Dataset of Maas et al. 2011, found in ``data_dir`` as ``aclImdb_v1.tar.gz`` or
      downloaded. 25 000 reviews to test; of the 25 000 for training, the last tenth of each label by file number is the
      validation split. Reviews of one film have neighbouring numbers, so that hardly any film is in both.

    Raises:
        DataError: unknown corpus, or its file cannot be had or read.
    """
    if corpus == "generated":
        return {split: generate(n, seed) for seed, (split, n) in enumerate(_COUNTS.items())}
    if corpus != "imdb":
        raise DataError(f"no corpus of reviews is called {corpus!r}; there are: {', '.join(CORPORA)}")
    parts = read_imdb(fetch("imdb", data_dir), tokenise)
    return {split: Reviews(*part) for split, part in parts.items()}


def tokenise(text: str) -> list[str]:
    """Lower-case words (``don't`` is one) and the signs ``! ? . , ; : ( )``; HTML's line breaks and all else go.

    >>> tokenise("It's GREAT!<br />Isn't it?")
    ["it's", 'great', '!', "isn't", 'it', '?']
    """
    return _WORD.findall(re.sub(r"<br\s*/?>", " ", text.lower().replace("\u2019", "'")))


@functools.cache
def generate(count: int, seed: int) -> Reviews:
    """Reviews that only a reader of their order understands.

    Each has one verdict, between sentences without opinion of its own. The verdict contrasts two clauses of opposite
    valence, and the main one, B, is the label::

        "A but B"     "although A , B"     "B , although A"

    A clause's valence is that of its adjective, turned round by *not*; what others said (*my friend called it dull*)
    counts for nothing. To exchange the contents of A and B exchanges the labels and leaves the words as they were:
    a bag of words carries no information on the label.
    """
    rng = np.random.default_rng([20110619, seed])
    labels = rng.integers(0, 2, count).astype(np.int32)
    return Reviews([_review(rng, bool(label)) for label in labels], labels)


def _pick(rng: np.random.Generator, options: list[str] | tuple[str, ...]) -> str:
    return options[rng.integers(len(options))]


def _review(rng: np.random.Generator, positive: bool) -> list[str]:
    sentences = [_aside(rng) for _ in range(rng.integers(2, 6))]
    sentences.insert(int(rng.integers(len(sentences) + 1)), _verdict(rng, positive))
    return [word for sentence in sentences for word in f"{sentence} .".split()]


def _verdict(rng: np.random.Generator, positive: bool) -> str:
    side, main = _clause(rng, not positive), _clause(rng, positive)
    return (f"{side} but {main}", f"although {side} , {main}", f"{main} , although {side}")[rng.integers(3)]


def _clause(rng: np.random.Generator, positive: bool) -> str:
    negated = bool(rng.integers(2))
    adjective = _pick(rng, _GOOD if positive != negated else _BAD)
    return f"the {_pick(rng, _THINGS)} was {'not ' if negated else ''}{adjective}"


def _aside(rng: np.random.Generator) -> str:
    """A sentence that says nothing of what the reviewer thinks."""
    if rng.integers(2):
        return f"{_pick(rng, _PEOPLE)} called it {_pick(rng, _GOOD + _BAD)}"
    return _pick(rng, _PLAIN).format(day=_pick(rng, _DAYS), place=_pick(rng, _PLACES))
