"""Spoken words: name the digit or the command, whoever speaks."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping

import numpy as np

from lstmlab.data.speech import SPEAKERS, Utterances, load_digits
from lstmlab.data.speech_commands import load_commands
from lstmlab.tasks.base import field
from lstmlab.tasks.registry import register_task
from lstmlab.tasks.utterances import UtteranceTask

CORPORA = ("digits", "digit_recordings", "speech_commands")
_LONGEST = 64  # frames, about a second; four recordings of digits in a thousand are longer


@register_task(
    "spoken_words",
    title="which word is said, by a speaker that training has not heard",
    data="1200 spoken digits as log-mel spectrograms, embedded (CC BY-SA 4.0, Free Spoken Digit Dataset); all 3000 as "
    "wav files, put into the data directory by hand; Speech Commands by download (2.3 GB, CC BY 4.0)",
    paper="Free Spoken Digit Dataset (Jackson et al.); Speech Commands: Warden 2018, arXiv:1804.03209",
)
@dataclasses.dataclass(frozen=True)
class SpokenWords(UtteranceTask):
    """Log-mel spectrograms, 24 bands every 16 ms, cut off after a second (:mod:`lstmlab.data.audio`).

    * ``digits``, ``digit_recordings``: ten digits by six speakers. One of them (``speaker``) is the test, the next one
      in the list validates, the other four train: with speakers that are in both training and test, as in the data
      set's own split, numbers are far higher and say less. For all of them:
      ``lstmlab -m task=spoken_words task.speaker=george,jackson,lucas,nicolas,theo,yweweler``.
    * ``speech_commands``: 35 words in the published splits, which share no speaker.
    """

    corpus: str = field("digits", "the recordings", choices=CORPORA)
    speaker: str = field("theo", "of digits, whom the test hears; the next in the list validates", choices=SPEAKERS)
    mask_frames: int = field(8, "most neighbouring frames that are masked in training", minimum=0)
    mask_bands: int = field(6, "most neighbouring features that are masked in training", minimum=0)

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
        (frames, lengths, labels), speakers = load_digits(self.corpus, self.data_dir)
        frames, lengths = frames[:, :_LONGEST], np.minimum(lengths, _LONGEST)
        test = SPEAKERS.index(self.speaker)
        validation = (test + 1) % len(SPEAKERS)
        chosen = {"test": speakers == test, "validation": speakers == validation}
        chosen["train"] = ~(chosen["test"] | chosen["validation"])
        return {
            split: Utterances(frames[chosen[split]], lengths[chosen[split]], labels[chosen[split]])
            for split in ("train", "validation", "test")
        }
