"""Reviews as words with a label: generated ones, and IMDB's."""

from __future__ import annotations

import functools
import os
import re
import tarfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int32

from lstmlab.data.cache import cached
from lstmlab.data.download import DataError, fetch
from lstmlab.data.progress import DownloadBar
from lstmlab.tasks.specs import Split

CORPORA = ("generated", "imdb")
_COUNTS: dict[Split, int] = {"train": 8000, "validation": 1000, "test": 2000}
_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?|[!?.,;:()]")

_GOOD = [
    "brilliant", "charming", "delightful", "excellent", "gripping", "lovely", "moving", "superb", "touching", "witty",
]  # fmt: skip
_BAD = ["awful", "boring", "clumsy", "dreadful", "dull", "feeble", "lifeless", "silly", "tedious"]
_THINGS = [
    "acting", "camera", "cast", "dialogue", "direction", "ending", "music", "pace", "plot", "script", "story",
    "editing",
]  # fmt: skip
_PEOPLE = ("my friend", "the critic", "my sister", "the poster", "a newspaper", "everybody")
_PLAIN = (
    "we saw it on a {day}", "it runs for two hours", "the hall was half full", "it was shot in {place}",
    "the tickets were sold on {day}", "the story begins in {place}", "they show it until {day}",
)  # fmt: skip
_DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_PLACES = ["paris", "rome", "vienna", "london", "madrid", "berlin", "oslo"]

_MEMBER = re.compile(r"aclImdb/(train|test)/(neg|pos)/(\d+)_\d+\.txt$")
_CACHE = ".tokens-1.npz"
"""ends the name of the file beside the archive; the number changes with the format and with the tokeniser"""


class Reviews(NamedTuple):
    """Tokenised reviews of one split."""

    texts: list[list[str]]
    labels: Int32[np.ndarray, " reviews"]
    """1 positive, 0 negative"""


def load_reviews(corpus: str, data_dir: str | os.PathLike[str] | None = None) -> dict[Split, Reviews]:
    """The splits of a corpus.

    * ``generated``: 8000/1000/2000 reviews from a seeded grammar (:func:`generate`).
    * ``imdb``: the Large Movie Review Dataset of Maas et al. 2011, found in ``data_dir`` as ``aclImdb_v1.tar.gz`` or
      downloaded. 25 000 reviews are for the test; of the 25 000 for training, the last tenth of each label by file
      number is the validation split. Reviews of one film have neighbouring numbers, so hardly any film is in both.

    Raises:
        DataError: unknown corpus, or its file is missing, cannot be downloaded or cannot be read.
    """
    if corpus == "generated":
        return {split: generate(n, seed) for seed, (split, n) in enumerate(_COUNTS.items())}
    if corpus != "imdb":
        raise DataError(f"no corpus of reviews is called {corpus!r}; there are: {', '.join(CORPORA)}")
    return read_imdb(fetch("imdb", data_dir), tokenise)


def tokenise(text: str) -> list[str]:
    """Lower-case words (``don't`` is one) and the signs ``! ? . , ; : ( )``; everything else is dropped, HTML's line
    breaks included.

    >>> tokenise("It's GREAT!<br />Isn't it?")
    ["it's", 'great', '!', "isn't", 'it', '?']
    """
    return _WORD.findall(re.sub(r"<br\s*/?>", " ", text.lower().replace("\u2019", "'")))


@functools.cache
def generate(count: int, seed: int) -> Reviews:
    """Reviews whose label depends on the order of their words.

    Each has one verdict, among sentences that say nothing about the reviewer's opinion. The verdict contrasts two
    clauses of opposite valence, and the label is the valence of the main clause, B::

        "A but B"     "although A , B"     "B , although A"

    A clause has the valence of its adjective, or the opposite one after *not*. Opinions of others (*my friend called it
    dull*) do not count. Exchanging the contents of A and B exchanges the labels and leaves the words the same, so a
    bag of words has no information about the label.
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
    """A sentence without an opinion of the reviewer."""
    if rng.integers(2):
        return f"{_pick(rng, _PEOPLE)} called it {_pick(rng, _GOOD + _BAD)}"
    return _pick(rng, _PLAIN).format(day=_pick(rng, _DAYS), place=_pick(rng, _PLACES))


def read_imdb(archive: Path, tokenise: Callable[[str], list[str]]) -> dict[Split, Reviews]:
    """The splits of the Large Movie Review Dataset; see :func:`load_reviews`.

    The archive is read without unpacking its fifty thousand files. The first call takes some minutes, with a progress
    bar on a terminal, and writes the words to ``aclImdb_v1.tokens-1.npz`` beside the archive; later calls read that
    file as long as the archive does not change.

    Raises:
        DataError: not an archive of this data set, or one that lacks the reviews of a label in one of its two parts.
    """
    name = archive.name.removesuffix(".tar.gz") + _CACHE
    return _split_reviews(cached(archive, name, lambda: _pack(_read(archive, tokenise))))


def _read(archive: Path, tokenise: Callable[[str], list[str]]) -> list[tuple[str, int, int, list[str]]]:
    """Part, label, number and words of every review, in order."""
    reviews = []
    try:
        for name, text in _members(archive):
            match = _MEMBER.search(name)
            if match:
                part, label, number = match.groups()
                reviews.append((part, int(label == "pos"), int(number), tokenise(text)))
    except (OSError, EOFError, ValueError, zlib.error, tarfile.TarError) as error:
        raise DataError(f"{archive} is not the archive of IMDB's reviews: {error}") from error
    for part in ("train", "test"):
        for label, kind in enumerate(("neg", "pos")):
            if not any(review[:2] == (part, label) for review in reviews):
                raise DataError(
                    f"{archive} is not the archive of IMDB's reviews: it has no aclImdb/{part}/{kind}/*.txt"
                )
    return sorted(reviews, key=lambda review: review[:3])


def _members(archive: Path) -> Iterator[tuple[str, str]]:
    """Name and text of every labelled review, in the order of the archive."""
    with archive.open("rb") as raw, DownloadBar(f"reading {archive.name}") as bar:
        bar.total, seen = archive.stat().st_size, 0
        with tarfile.open(fileobj=raw, mode="r|gz") as tar:
            for member in tar:
                if member.isfile() and _MEMBER.search(member.name):
                    file = tar.extractfile(member)
                    assert file is not None
                    yield member.name, file.read().decode("utf-8")
                bar.update(raw.tell() - seen)
                seen = raw.tell()


def _pack(reviews: list[tuple[str, int, int, list[str]]]) -> dict[str, np.ndarray]:
    """Arrays for a file: the different words, commonest first, and all reviews end to end as indices of words."""
    counts = Counter(word for *_, words in reviews for word in words)
    index = {word: place for place, (word, _) in enumerate(counts.most_common())}
    return {
        "words": np.array("\n".join(index)),
        "tokens": np.fromiter((index[word] for *_, words in reviews for word in words), np.int32),
        "lengths": np.array([len(words) for *_, words in reviews], np.int64),
        "labels": np.array([label for _, label, _, _ in reviews], np.int32),
        "training": np.array([part == "train" for part, *_ in reviews]),
    }


def _split_reviews(arrays: dict[str, np.ndarray]) -> dict[Split, Reviews]:
    """The reverse of :func:`_pack`; validation is the last tenth of each label's training reviews."""
    words = str(arrays["words"]).split("\n")
    ends = np.cumsum(arrays["lengths"])
    labels, training = arrays["labels"], arrays["training"]
    held_out = np.zeros(len(labels), bool)
    for label in (0, 1):
        (rows,) = np.nonzero(training & (labels == label))
        held_out[rows[len(rows) - max(1, len(rows) // 10) :]] = True

    def part(chosen: Bool[np.ndarray, " reviews"]) -> Reviews:
        texts = [arrays["tokens"][ends[row] - arrays["lengths"][row] : ends[row]] for row in np.nonzero(chosen)[0]]
        return Reviews([[words[token] for token in text] for text in texts], labels[chosen])

    return {"train": part(training & ~held_out), "validation": part(held_out), "test": part(~training)}
