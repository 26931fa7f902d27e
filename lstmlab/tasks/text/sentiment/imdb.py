"""The Large Movie Review Dataset (IMDB), read from its archive without unpacking fifty thousand files."""

from __future__ import annotations

import re
import tarfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from lstmlab.data.cache import cached
from lstmlab.data.download import DataError
from lstmlab.data.progress import DownloadBar

_MEMBER = re.compile(r"aclImdb/(train|test)/(neg|pos)/(\d+)_\d+\.txt$")
_CACHE = ".tokens-1.npz"
"""beside the archive; the number changes with the format or with how words are told apart"""

Split = tuple[list[list[str]], np.ndarray]
"""Tokenised reviews, and labels ``[reviews]``"""


def read_imdb(archive: Path, tokenise: Callable[[str], list[str]]) -> dict[str, Split]:
    """Training, validation and test split; validation is the last tenth of each label's training files by number.

    The first reading of the archive (some minutes, with a progress bar on a terminal) leaves the tokens beside it,
    in ``aclImdb_v1.tokens-1.npz``; later ones read that file as long as the archive has not changed.

    Raises:
        DataError: no archive of this data set, or one without reviews of each label and part.
    """
    name = archive.name.removesuffix(".tar.gz") + _CACHE
    return _split(cached(archive, name, lambda: _pack(_read(archive, tokenise))))


def _read(archive: Path, tokenise: Callable[[str], list[str]]) -> list[tuple[str, int, int, list[str]]]:
    """Part, label, number and words of every review, in order."""
    reviews = []
    try:
        for name, text in _members(archive):
            found = _MEMBER.search(name)
            if found:
                part, label, number = found.groups()
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
    """Name and text of every labelled review, as they lie in the archive."""
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
    """All words once, the commonest first, and the reviews as their indices end to end."""
    counts = Counter(word for *_, words in reviews for word in words)
    index = {word: place for place, (word, _) in enumerate(counts.most_common())}
    return {
        "words": np.array("\n".join(index)),
        "tokens": np.fromiter((index[word] for *_, words in reviews for word in words), np.int32),
        "lengths": np.array([len(words) for *_, words in reviews], np.int64),
        "labels": np.array([label for _, label, _, _ in reviews], np.int32),
        "training": np.array([part == "train" for part, *_ in reviews]),
    }


def _split(arrays: dict[str, np.ndarray]) -> dict[str, Split]:
    words = str(arrays["words"]).split("\n")
    ends = np.cumsum(arrays["lengths"])
    labels, training = arrays["labels"], arrays["training"]
    held_out = np.zeros(len(labels), bool)
    for label in (0, 1):
        (rows,) = np.nonzero(training & (labels == label))
        held_out[rows[len(rows) - max(1, len(rows) // 10) :]] = True

    def part(chosen: np.ndarray) -> Split:
        texts = [arrays["tokens"][ends[row] - arrays["lengths"][row] : ends[row]] for row in np.nonzero(chosen)[0]]
        return [[words[token] for token in text] for text in texts], labels[chosen]

    return {"train": part(training & ~held_out), "validation": part(held_out), "test": part(~training)}
