"""Japanese vowels: who says /ae/?"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping

import numpy as np

from lstmlab.tasks.registry import register_task
from lstmlab.tasks.speech.recordings import Utterances, load_vowels
from lstmlab.tasks.speech.utterances import UtteranceTask, normalise_field

_VALIDATION = 6  # of the 30 training recordings of every speaker


@register_task(
    "japanese_vowels",
    title="which of nine men says /ae/",
    data="640 recordings as cepstra, embedded (CC BY 4.0, Kudo, Toyama & Shimbo 1999)",
    paper="Kudo, Toyama & Shimbo 1999, Pattern Recognition Letters 20",
    published="94.1 % (Kudo et al. 1999), from memory",
)
@dataclasses.dataclass(frozen=True)
class JapaneseVowels(UtteranceTask):
    """Recordings of 7 to 29 frames of 12 cepstral coefficients, one of nine speakers to be named.

    The published split: 30 recordings of each speaker train, 370 test. Here the last six of each speaker's 30 validate.
    The level of a coefficient is part of a voice, so features are normalised over the training split by default.
    """

    normalise: str = normalise_field("training")

    defaults = (
        "model.hidden_size=64", "model.bidirectional=true", "dropout.layer=0.5", "training.steps=500",
        "training.batch_size=32", "training.eval_batch_size=185", "training.log_every=25", "training.eval_every=50",
    )  # fmt: skip

    @property
    def classes(self) -> tuple[str, ...]:
        """The speakers."""
        return tuple(f"speaker {number}" for number in range(1, 10))

    @functools.cached_property
    def utterances(self) -> Mapping[str, Utterances]:
        """The recordings of each split."""
        parts = load_vowels()
        published = parts["train"]
        rank = np.zeros(len(published.labels), int)
        for label in range(len(self.classes)):
            mine = published.labels == label
            rank[mine] = np.arange(mine.sum())
        late = rank >= 30 - _VALIDATION
        train, validation = (Utterances(*(a[rows] for a in published)) for rows in (~late, late))
        return {"train": train, "validation": validation, "test": parts["test"]}
