"""Four-part music as piano rolls: generated cadences, and Bach's chorales by download."""

from __future__ import annotations

import json
import os
from typing import NamedTuple

import numpy as np
from jaxtyping import Int32, UInt8

from lstmlab.data.download import DataError, fetch
from lstmlab.tasks.specs import Split

CORPORA = ("cadences", "jsb")
LOWEST, KEYS = 21, 88
"""MIDI number of a piano's lowest key, and its number of keys."""
_JSB_SPLITS: dict[Split, str] = {"train": "train", "validation": "valid", "test": "test"}

# Diatonic triads of a major key as semitones above the tonic, and which chord follows which.
_TRIADS = {"I": (0, 4, 7), "ii": (2, 5, 9), "IV": (5, 9, 0), "V": (7, 11, 2), "vi": (9, 0, 4)}
_NEXT = {"I": ("ii", "IV", "V", "vi"), "ii": ("V",), "IV": ("I", "ii", "V"), "V": ("I", "I", "vi"), "vi": ("ii", "IV")}
_RANGES = ((48, 60), (55, 67), (60, 72), (65, 79))  # bass, tenor, alto, soprano
_PIECES: dict[Split, int] = {"train": 200, "validation": 50, "test": 50}


class Rolls(NamedTuple):
    """Pieces of one split, padded with silence at the end."""

    notes: UInt8[np.ndarray, "pieces steps 88"]
    """1 where a key sounds"""
    lengths: Int32[np.ndarray, " pieces"]
    """steps of each piece"""


def load_chorales(corpus: str, data_dir: str | os.PathLike[str] | None = None) -> dict[Split, Rolls]:
    """The splits of a corpus, one step per quarter note.

    * ``jsb``: 229/76/77 of Bach's chorales, the splits of Boulanger-Lewandowski et al. 2012, found in ``data_dir`` as
      ``jsb_chorales/jsb-chorales-quarter.json`` or downloaded.
    * ``cadences``: 200/50/50 pieces of four voices that move in the smallest steps through random cadences of a random
      major key; always the same pieces.

    Raises:
        DataError: unknown corpus, or its file is missing, cannot be downloaded or cannot be read.
    """
    if corpus == "cadences":
        return {split: _rolls(_cadences(split)) for split in _PIECES}
    if corpus != "jsb":
        raise DataError(f"no corpus of music is called {corpus!r}; there are: {', '.join(CORPORA)}")
    path = fetch("jsb_chorales", data_dir)
    pieces = json.loads(path.read_text(encoding="utf-8"))
    return {split: _rolls(pieces[name]) for split, name in _JSB_SPLITS.items()}


def _rolls(pieces: list[list[list[int]]]) -> Rolls:
    """Pieces as lists of chords, chords as lists of MIDI numbers."""
    lengths = np.array([len(piece) for piece in pieces], np.int32)
    notes = np.zeros((len(pieces), lengths.max(), KEYS), np.uint8)
    for piece, roll in zip(pieces, notes, strict=True):
        for chord, keys in zip(piece, roll, strict=False):
            keys[np.asarray(chord, int) - LOWEST] = 1
    return Rolls(notes, lengths)


def _cadences(split: Split) -> list[list[list[int]]]:
    """Random walks over chords, in which each voice moves to the nearest note of the next chord."""
    rng = np.random.default_rng([_PIECES[split], list(_PIECES).index(split)])
    return [_cadence(rng) for _ in range(_PIECES[split])]


def _cadence(rng: np.random.Generator) -> list[list[int]]:
    tonic, chord, piece = int(rng.integers(12)), "I", []
    voices = [(low + high) // 2 for low, high in _RANGES]
    for _ in range(int(rng.integers(10, 25))):
        triad = [(tonic + semitone) % 12 for semitone in _TRIADS[chord]]
        # The bass takes the root, the others the nearest note.
        wanted = [[triad[0]], triad, triad, triad]
        voices = [_nearest(v, of, *r) for v, of, r in zip(voices, wanted, _RANGES, strict=True)]
        piece += [sorted(set(voices))] * int(rng.integers(1, 4))
        chord = str(rng.choice(_NEXT[chord]))
    return piece


def _nearest(note: int, classes: list[int], low: int, high: int) -> int:
    """The note of these pitch classes, within a voice's range, that is nearest to the note before."""
    return min((n for n in range(low, high + 1) if n % 12 in classes), key=lambda n: (abs(n - note), n))
