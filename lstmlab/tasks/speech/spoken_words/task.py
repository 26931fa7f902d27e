"""Spoken words: name the digit or the command, whoever speaks."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping

import numpy as np

from lstmlab.data.download import DataError
from lstmlab.settings import setting
from lstmlab.tasks.registry import register_task
from lstmlab.tasks.speech.recordings import SPEAKERS, Utterances, load_digits
from lstmlab.tasks.speech.spoken_words.dataset import load_commands
from lstmlab.tasks.speech.utterances import UtteranceTask, normalise_field

CORPORA = ("digits", "digit_recordings", "speech_commands")
_TENTH = 10
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
    """Log-mel spectrograms, 24 bands every 16 ms, cut off after a second (:mod:`lstmlab.tasks.speech.audio`).

    * ``digits``, ``digit_recordings``: ten digits by six speakers. One of them (``speaker``) is the test: with speakers
      that are in both training and test, as in the data set's own split, numbers are far higher and say less. Of the
      others every tenth take validates (``validate_on=takes``), so that five voices are learned from; or the next one
      in the list does (``speaker``), and the validation, too, tells of a voice never heard. For all six:
      ``lstmlab -m task=spoken_words task.speaker=george,jackson,lucas,nicolas,theo,yweweler``.
    * ``speech_commands``: 35 words in the published splits, which share no speaker.
    """

    corpus: str = setting("digits", "the recordings", choices=CORPORA)
    speaker: str = setting("theo", "of digits, whom the test hears", choices=SPEAKERS)
    validate_on: str = setting(
        "takes", "of digits, every tenth take, or the next speaker", choices=("takes", "speaker")
    )
    normalise: str = normalise_field("level")
    mask_frames: int = setting(8, "most neighbouring frames that are masked in training", minimum=0)
    mask_bands: int = setting(6, "most neighbouring features that are masked in training", minimum=0)
    deltas: bool = setting(
        True, "read the slopes of the features, and slopes of slopes, as well", choices=(False, True)
    )

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
        (frames, lengths, labels), speakers = load_digits(self.corpus, self.data_dir)
        frames, lengths = frames[:, :_LONGEST], np.minimum(lengths, _LONGEST)
        held_out = SPEAKERS.index(self.speaker)
        test = speakers == held_out
        if self.validate_on == "speaker":
            validation = speakers == (held_out + 1) % len(SPEAKERS)
        else:
            validation = ~test & (_takes(labels, speakers) % _TENTH == 0)
        chosen = {"test": test, "validation": validation, "train": ~(test | validation)}
        for split, rows in chosen.items():
            if not rows.any():
                raise DataError(
                    f"none of the {len(labels)} recordings of task.corpus={self.corpus} is left for the {split} split: "
                    f"it needs several takes of each digit by each of {', '.join(SPEAKERS)}"
                )
        return {
            split: Utterances(frames[chosen[split]], lengths[chosen[split]], labels[chosen[split]])
            for split in ("train", "validation", "test")
        }


def _takes(labels: np.ndarray, speakers: np.ndarray) -> np.ndarray:
    """Which one of the recordings of its digit by its speaker each is, from 0."""
    takes = np.zeros(len(labels), int)
    for label in np.unique(labels):
        for speaker in np.unique(speakers):
            mine = (labels == label) & (speakers == speaker)
            takes[mine] = np.arange(mine.sum())
    return takes
