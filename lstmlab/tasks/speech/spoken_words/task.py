"""Spoken words: name the digit or the command, whoever speaks."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping

from lstmlab.settings import setting
from lstmlab.tasks.registry import register_task
from lstmlab.tasks.speech.features import NORMALISATIONS
from lstmlab.tasks.speech.recordings import Utterances
from lstmlab.tasks.speech.spoken_words.dataset import SPEAKERS, load_commands, load_digit_splits
from lstmlab.tasks.speech.utterances import UtteranceTask

CORPORA = ("digits", "digit_recordings", "speech_commands")


@register_task(
    "spoken_words",
    title="which word is said, by a speaker that training has not heard",
    data="1200 spoken digits as log-mel spectrograms, embedded (CC BY-SA 4.0, Free Spoken Digit Dataset); all 3000 as "
    "wav files, put into the data directory by hand; Speech Commands by download (2.3 GB, CC BY 4.0)",
    paper="Free Spoken Digit Dataset (Jackson et al.); Speech Commands: Warden 2018, arXiv:1804.03209",
)
@dataclasses.dataclass(frozen=True)
class SpokenWords(UtteranceTask):
    """Log-mel spectrograms, 24 bands every 16 ms, cut off after a second (:mod:`lstmlab.tasks.speech.audio`).

    * ``digits``, ``digit_recordings``: ten digits by six speakers, one of whom (``speaker``) is the test. In the data
      set's own split all speakers are in both training and test, which gives far higher numbers that say less. Of the
      other speakers every tenth take validates (``validate_on=takes``), which leaves five voices for training; or all
      takes of the next speaker in the list do (``validate_on=speaker``), so that validation, too, measures an unseen
      voice. For all six:
      ``lstmlab -m task=spoken_words task.speaker=george,jackson,lucas,nicolas,theo,yweweler``.
    * ``speech_commands``: 35 words in the published splits, which share no speaker.
    """

    corpus: str = setting("digits", "the recordings", choices=CORPORA)
    speaker: str = setting("theo", "of digits, the speaker who is the test", choices=SPEAKERS)
    validate_on: str = setting(
        "takes", "of digits, every tenth take, or the next speaker", choices=("takes", "speaker")
    )
    normalise: str = setting("level", "over what the features get mean 0 and variance 1", choices=NORMALISATIONS)
    mask_frames: int = setting(8, "most consecutive frames that are masked in training", minimum=0)
    mask_bands: int = setting(6, "most adjacent features that are masked in training", minimum=0)
    deltas: bool = setting(True, "append deltas and delta-deltas to the features", choices=(False, True))

    reference_value = 1.0  # the perfect one
    defaults = (
        "model.hidden_size=96", "model.bidirectional=true", "model.readout=pooled", "dropout.layer=0.4",
        "training.steps=600", "training.batch_size=32", "training.eval_batch_size=100", "training.log_every=25",
        "training.eval_every=50",
    )  # fmt: skip

    @functools.cached_property
    def classes(self) -> tuple[str, ...]:  # type: ignore[override]
        """The digits or words."""
        if self.corpus == "speech_commands":
            return load_commands(self.data_dir).words
        return tuple("0123456789")

    @functools.cached_property
    def utterances(self) -> Mapping[str, Utterances]:  # type: ignore[override]
        """The recordings of each split."""
        if self.corpus == "speech_commands":
            return load_commands(self.data_dir).splits
        return load_digit_splits(self.corpus, self.speaker, self.validate_on, self.data_dir)
