"""The CMU Pronouncing Dictionary: phonemes of English words, embedded."""

from __future__ import annotations

import functools
import lzma
import re

from lstmlab.data.resources import embedded_path

Dictionary = dict[str, list[tuple[str, ...]]]
"""Words with their pronunciations, the commonest first."""
LETTERS = "abcdefghijklmnopqrstuvwxyz'"


@functools.cache
def load_pronunciations(*, stress: bool = False) -> Dictionary:
    """All words of letters and apostrophes; without ``stress``, the marks 0, 1 and 2 of vowels are removed."""
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
