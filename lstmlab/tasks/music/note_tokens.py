"""Chords as tokens: the keys of a chord from the lowest to the highest, and then a mark of its end.

A model of these tokens gives the keys of a chord one after the other, each given those before it: a joint distribution
over the keys, as the restricted Boltzmann machines and NADEs of Boulanger-Lewandowski et al. 2012 are, by the chain
rule alone.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int32, UInt8


class NoteTokens(NamedTuple):
    """Pieces as tokens; the key k is token k, the end of a chord is the number of keys. Padded with ends of chords."""

    tokens: Int32[np.ndarray, "pieces length"]
    lengths: Int32[np.ndarray, " pieces"]
    """tokens of each piece"""


def note_tokens(notes: UInt8[np.ndarray, "pieces steps keys"], lengths: Int32[np.ndarray, " pieces"]) -> NoteTokens:
    """The pieces of piano rolls as tokens; every piece has at least one step."""
    keys = notes.shape[2]
    ended = np.concatenate([notes, np.ones_like(notes[:, :, :1])], axis=2)
    pieces = [np.nonzero(roll[:length])[1] for roll, length in zip(ended, lengths, strict=True)]
    tokens = np.full((len(pieces), max(map(len, pieces))), keys, np.int32)
    for row, piece in zip(tokens, pieces, strict=True):
        row[: len(piece)] = piece
    return NoteTokens(tokens, np.array([len(piece) for piece in pieces], np.int32))


def chords(tokens: Int32[np.ndarray, " length"], keys: int) -> Float[np.ndarray, "steps keys"]:
    """The chords that end within these tokens, 1 for each key that sounds."""
    parts = np.split(tokens, np.flatnonzero(tokens == keys) + 1)[:-1]
    rolls = np.zeros((len(parts), keys), np.float32)
    for roll, part in zip(rolls, parts, strict=True):
        roll[part[:-1]] = 1
    return rolls
