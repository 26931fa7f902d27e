"""Japanese vowels: recordings of nine men who say /ae/. Embedded."""

from __future__ import annotations

import numpy as np

from lstmlab.data.resources import embedded_path
from lstmlab.tasks.speech.recordings import Utterances, index_in_group

SPEAKERS = tuple(f"speaker {number}" for number in range(1, 10))
TRAINING_TAKES = 24
"""of the 30 published training recordings of every speaker"""


def load_vowels() -> dict[str, Utterances]:
    """The published training (270) and test (370) recordings.

    A recording has 7 to 29 frames of 12 cepstral coefficients; the label is the speaker.
    """
    with np.load(embedded_path("japanese_vowels.npz")) as arrays:
        return {
            split: Utterances(*(arrays[f"{split}_{part}"] for part in Utterances._fields))
            for split in ("train", "test")
        }


def load_vowel_splits() -> dict[str, Utterances]:
    """Training, validation and test split: the last six training recordings of every speaker validate."""
    published = load_vowels()
    validation = index_in_group(published["train"].labels) >= TRAINING_TAKES
    return {
        "train": published["train"].select(~validation),
        "validation": published["train"].select(validation),
        "test": published["test"],
    }
