"""The CMU Pronouncing Dictionary: how English words are said."""

from __future__ import annotations

import functools
import lzma
import re
import zlib

from lstmlab.data.resources import embedded_path

Dictionary = dict[str, list[tuple[str, ...]]]
"""Each word with its different pronunciations, the commonest first."""
LETTERS = "abcdefghijklmnopqrstuvwxyz'"
_TEST, _VALIDATION = range(10), range(10, 15)


@functools.cache
def load_pronunciations(*, stress: bool = False) -> Dictionary:
    """All words of letters and apostrophes; without ``stress`` the vowels lose their marks 0, 1 and 2."""
    text = lzma.decompress(embedded_path("cmudict.txt.xz").read_bytes()).decode("ascii")
    if not stress:
        text = re.sub(r"\d", "", text)
    words: Dictionary = {}
    for line in text.splitlines():
        word, *phonemes = line.split()
        known = words.setdefault(word, [])
        if tuple(phonemes) not in known:
            known.append(tuple(phonemes))
    return words


def split_of(word: str) -> str:
    """The split of a word, by its CRC-32 modulo 100: test below 10, validation below 15, else train.

    So a word is in one split with all its pronunciations, whichever other words there are.
    """
    bucket = zlib.crc32(word.encode()) % 100
    return "test" if bucket in _TEST else "validation" if bucket in _VALIDATION else "train"
