"""Japanese vowels: who says /ae/?"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping

from lstmlab.settings import setting
from lstmlab.tasks.registry import register_task
from lstmlab.tasks.speech.features import NORMALISATIONS
from lstmlab.tasks.speech.japanese_vowels.dataset import SPEAKERS, load_vowel_splits
from lstmlab.tasks.speech.recordings import Utterances
from lstmlab.tasks.speech.utterances import UtteranceTask


@register_task(
    "japanese_vowels",
    title="which of nine men says /ae/",
    data="640 recordings as cepstra, embedded (CC BY 4.0, Kudo, Toyama & Shimbo 1999)",
    paper="Kudo, Toyama & Shimbo 1999, Pattern Recognition Letters 20",
    published="94.1 % (Kudo et al. 1999), from memory",
)
@dataclasses.dataclass(frozen=True)
class JapaneseVowels(UtteranceTask):
    """Recordings of 7 to 29 frames of 12 cepstral coefficients; the class is one of nine speakers.

    The published split: 30 recordings of each speaker train, 370 test. Here the last six of each speaker's 30 validate.
    The level of a coefficient is part of a voice, so features are normalised over the training split by default.
    """

    normalise: str = setting("training", "over what the features get mean 0 and variance 1", choices=NORMALISATIONS)

    reference_value = 1.0  # the perfect one
    defaults = (
        "model.hidden_size=64", "model.bidirectional=true", "dropout.layer=0.5", "training.steps=500",
        "training.batch_size=32", "training.eval_batch_size=185", "training.log_every=25", "training.eval_every=50",
    )  # fmt: skip

    @property
    def classes(self) -> tuple[str, ...]:
        """The speakers."""
        return SPEAKERS

    @functools.cached_property
    def utterances(self) -> Mapping[str, Utterances]:  # type: ignore[override]
        """The recordings of each split."""
        return load_vowel_splits()
