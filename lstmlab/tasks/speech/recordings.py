"""Recorded speech as sequences of features: Japanese vowels, and spoken digits."""

from __future__ import annotations

import functools
import os
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lstmlab.data.archive import read_members
from lstmlab.data.download import DataError, data_directory
from lstmlab.data.resources import embedded_path
from lstmlab.tasks.speech.audio import log_mel, pad_frames, read_wav, trim

SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
ARCHIVE = "fsdd_recordings.tar.gz"
_RECORDING = re.compile(r"(\d)_([a-z]+)_(\d+)\.wav")


class Utterances(NamedTuple):
    """Recordings of different lengths, and their classes."""

    frames: np.ndarray
    """``[recordings, longest, features]``, zeros behind the end of each"""
    lengths: np.ndarray
    """frames of each, int32"""
    labels: np.ndarray
    """int32"""


class Digits(NamedTuple):
    """Spoken digits, and who spoke each."""

    utterances: Utterances
    speakers: np.ndarray
    """index into ``SPEAKERS``, int32"""


def load_vowels() -> dict[str, Utterances]:
    """Training (270) and test (370) recordings of nine men who say /ae/: 12 cepstral coefficients per frame, 7 to 29
    frames, the label is the speaker. Embedded.
    """
    with np.load(embedded_path("japanese_vowels.npz")) as arrays:
        return {
            split: Utterances(*(arrays[f"{split}_{part}"] for part in Utterances._fields))
            for split in ("train", "test")
        }


def load_digits(corpus: str, data_dir: str | os.PathLike[str] | None = None) -> Digits:
    """Ten English digits by six speakers, as log-mel spectrograms (:func:`lstmlab.tasks.speech.audio.log_mel`) without
    silence at the ends (:func:`~lstmlab.tasks.speech.audio.trim`), in the order of digit, speaker and take.

    * ``digits``: 1200 recordings, the first 20 of every digit and speaker. Embedded.
    * ``digit_recordings``: all 3000 wav files of the Free Spoken Digit Dataset: its folder ``recordings`` in
      ``data_dir``, or a tar archive of it, ``fsdd_recordings.tar.gz``.

    Raises:
        DataError: the recordings are not there, or one of them cannot be read.
    """
    if corpus == "digits":
        with np.load(embedded_path("spoken_digits.npz")) as arrays:
            ends = np.cumsum(arrays["lengths"])
            recordings = np.split(arrays["frames"], ends[:-1])
            return _digits(recordings, arrays["labels"], arrays["speakers"])
    directory = data_directory(data_dir)
    for path in (directory / ARCHIVE, directory / "recordings", directory / "free-spoken-digit-dataset" / "recordings"):
        if path.exists():
            return _load_recordings(path, path.stat().st_mtime)
    raise DataError(
        "the spoken digits are not there: put the folder recordings of "
        f"github.com/Jakobovski/free-spoken-digit-dataset into {directory}, as it is or as {ARCHIVE}"
    )


@functools.lru_cache(maxsize=2)
def _load_recordings(path: Path, modified: float) -> Digits:
    found: dict[tuple[int, int, int], np.ndarray] = {}
    for name, content in _wav_files(path):
        parts = _RECORDING.fullmatch(name.rpartition("/")[2])
        if parts is None or parts[2] not in SPEAKERS:
            raise DataError(f"{path}: {name} is not named DIGIT_SPEAKER_INDEX.wav, speakers {', '.join(SPEAKERS)}")
        key = int(parts[1]), SPEAKERS.index(parts[2]), int(parts[3])
        found[key] = trim(log_mel(read_wav(content, f"{path}: {name}")))
    if not found:
        raise DataError(f"{path} holds no wav files")
    keys = sorted(found)
    digits, speakers, _ = np.array(keys, np.int32).T
    return _digits([found[key] for key in keys], digits, speakers)


def _wav_files(path: Path):
    if path.is_dir():
        yield from ((file.name, file.read_bytes()) for file in sorted(path.glob("*.wav")))
    else:
        yield from read_members(path, lambda name: name.endswith(".wav"))


def _digits(recordings: list[np.ndarray], labels: np.ndarray, speakers: np.ndarray) -> Digits:
    frames, lengths = pad_frames(recordings)
    return Digits(Utterances(frames, lengths, np.asarray(labels, np.int32)), np.asarray(speakers, np.int32))
