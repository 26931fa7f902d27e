"""Spoken words as log-mel spectrograms: the Free Spoken Digit Dataset, and Google's Speech Commands."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int, Int32, UInt8
from rich.console import Console
from rich.progress import track

from lstmlab.data.archive import read_members
from lstmlab.data.cache import cached
from lstmlab.data.download import DataError, data_directory, fetch
from lstmlab.data.resources import embedded_path
from lstmlab.tasks.speech.audio import log_mel, read_wav, trim
from lstmlab.tasks.speech.recordings import Utterances, index_in_group, pad_frames

SPLITS = ("train", "validation", "test")
LONGEST = 64
"""frames, about a second: Speech Commands are cut to one second, and four digits in a thousand are longer"""

SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
DIGIT_ARCHIVE = "fsdd_recordings.tar.gz"
_DIGIT_FILE = re.compile(r"(\d)_([a-z]+)_(\d+)\.wav")
_VALIDATION_EVERY = 10

_COMMAND_FILES = 105_829  # wav files of words in the archive
_COMMAND_LISTS = {"validation": "validation_list.txt", "test": "testing_list.txt"}
_CACHE = ".log-mel-1.npz"
"""beside the archive; the number changes with the format or with the spectrograms"""


class Digits(NamedTuple):
    """Spoken digits, and who spoke each."""

    utterances: Utterances
    speakers: Int32[np.ndarray, " recordings"]
    """index into ``SPEAKERS``"""


class Commands(NamedTuple):
    """The recordings of each split, and the classes in order."""

    splits: dict[str, Utterances]
    words: tuple[str, ...]


def load_digits(corpus: str, data_dir: str | os.PathLike[str] | None = None) -> Digits:
    """Ten English digits by six speakers, as log-mel spectrograms (:func:`lstmlab.tasks.speech.audio.log_mel`) without
    silence at the ends (:func:`~lstmlab.tasks.speech.audio.trim`), sorted by digit, speaker and take.

    * ``digits``: 1200 recordings, the first 20 of every digit and speaker. Embedded.
    * ``digit_recordings``: all 3000 wav files of the Free Spoken Digit Dataset: its folder ``recordings`` in
      ``data_dir``, or a tar archive of it, ``fsdd_recordings.tar.gz``.

    Raises:
        DataError: the recordings are missing, or one of them cannot be read.
    """
    if corpus == "digits":
        with np.load(embedded_path("spoken_digits.npz")) as arrays:
            ends = np.cumsum(arrays["lengths"])
            recordings = np.split(arrays["frames"], ends[:-1])
            return _digits(recordings, arrays["labels"], arrays["speakers"])
    folder = data_directory(data_dir)
    for path in (folder / DIGIT_ARCHIVE, folder / "recordings", folder / "free-spoken-digit-dataset" / "recordings"):
        if path.exists():
            return read_digits(path, path.stat().st_mtime)
    raise DataError(
        "the spoken digits are not there: put the folder recordings of "
        f"github.com/Jakobovski/free-spoken-digit-dataset into {folder}, as it is or as {DIGIT_ARCHIVE}"
    )


@functools.lru_cache(maxsize=2)
def read_digits(path: Path, modified: float) -> Digits:
    """All recordings in a folder or an archive, last modified at a time that is part of the cache's key.

    Raises:
        DataError: a file has another name than DIGIT_SPEAKER_INDEX.wav or cannot be read, or there is none.
    """
    spectrograms: dict[tuple[int, int, int], np.ndarray] = {}
    for name, content in _wav_files(path):
        parts = _DIGIT_FILE.fullmatch(name.rpartition("/")[2])
        if parts is None or parts[2] not in SPEAKERS:
            raise DataError(f"{path}: {name} is not named DIGIT_SPEAKER_INDEX.wav, speakers {', '.join(SPEAKERS)}")
        key = int(parts[1]), SPEAKERS.index(parts[2]), int(parts[3])
        spectrograms[key] = trim(log_mel(read_wav(content, f"{path}: {name}")))
    if not spectrograms:
        raise DataError(f"{path} holds no wav files")
    keys = sorted(spectrograms)
    digits, speakers, _ = np.array(keys, np.int32).T
    return _digits([spectrograms[key] for key in keys], digits, speakers)


def _wav_files(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.is_dir():
        yield from ((file.name, file.read_bytes()) for file in sorted(path.glob("*.wav")))
    else:
        yield from read_members(path, lambda name: name.endswith(".wav"))


def _digits(recordings: Sequence[UInt8[np.ndarray, "_ bands"]], labels: np.ndarray, speakers: np.ndarray) -> Digits:
    frames, lengths = pad_frames(recordings)
    return Digits(Utterances(frames, lengths, np.asarray(labels, np.int32)), np.asarray(speakers, np.int32))


def load_digit_splits(
    corpus: str, test_speaker: str, validate_on: str, data_dir: str | os.PathLike[str] | None = None
) -> dict[str, Utterances]:
    """Training, validation and test split of :func:`load_digits`, cut off after about a second.

    One speaker tests. Of the others every tenth take validates (``validate_on="takes"``), or all takes of the next
    speaker in ``SPEAKERS`` do (``validate_on="speaker"``).

    Raises:
        DataError: as :func:`load_digits`, or a split is empty.
    """
    (frames, lengths, labels), speakers = load_digits(corpus, data_dir)
    utterances = Utterances(frames[:, :LONGEST], np.minimum(lengths, LONGEST), labels)
    held_out = SPEAKERS.index(test_speaker)
    test = speakers == held_out
    if validate_on == "speaker":
        validation = speakers == (held_out + 1) % len(SPEAKERS)
    else:
        validation = ~test & (_takes(labels, speakers) % _VALIDATION_EVERY == 0)
    selected = {"test": test, "validation": validation, "train": ~(test | validation)}
    for split, rows in selected.items():
        if not rows.any():
            raise DataError(
                f"none of the {len(labels)} recordings of task.corpus={corpus} is left for the {split} split: "
                f"it needs several takes of each digit by each of {', '.join(SPEAKERS)}"
            )
    return {split: utterances.select(selected[split]) for split in SPLITS}


def _takes(
    labels: Int[np.ndarray, " recordings"], speakers: Int[np.ndarray, " recordings"]
) -> Int[np.ndarray, " recordings"]:
    """The number of each recording among those of its digit by its speaker, from 0."""
    return index_in_group(labels * len(SPEAKERS) + speakers)


def load_commands(data_dir: str | os.PathLike[str] | None = None) -> Commands:
    """Speech Commands in the published splits: the archive's ``validation_list.txt`` and ``testing_list.txt`` name
    their recordings, all others train; no speaker is in two splits.

    The spectrograms are computed once, which takes some minutes, and kept beside the archive.

    Raises:
        DataError: the archive cannot be downloaded, or lacks recordings or lists.
    """
    return read_commands(fetch("speech_commands", data_dir))


@functools.lru_cache(maxsize=1)
def read_commands(path: Path) -> Commands:
    """The splits of an archive, from the spectrograms kept beside it where there are any."""
    arrays = cached(path, path.name.removesuffix(".tar.gz") + _CACHE, lambda: _compute(path))
    utterances = Utterances(*(arrays[part] for part in Utterances._fields))
    splits = {split: utterances.select(arrays["splits"] == number) for number, split in enumerate(SPLITS)}
    return Commands(splits, tuple(arrays["words"].tolist()))


def _compute(path: Path) -> dict[str, np.ndarray]:
    """Spectrograms, lengths, classes and splits of all recordings of words."""
    split_of: dict[str, str] = {}
    names: list[str] = []
    recordings: list[np.ndarray] = []
    lists = {file: split for split, file in _COMMAND_LISTS.items()}
    # Folders with an underscore hold background noise.
    members = read_members(path, lambda name: name in lists or (name[0] != "_" and name.endswith(".wav")))
    console = Console(stderr=True)
    for name, content in track(
        members, "log-mel spectrograms", _COMMAND_FILES, console=console, transient=True,
        disable=not console.is_terminal,
    ):  # fmt: skip
        if name in lists:
            split_of |= dict.fromkeys(content.decode("utf-8").split(), lists[name])
        else:
            names.append(name)
            recordings.append(log_mel(read_wav(content, f"{path}: {name}")))
    missing = set(_COMMAND_LISTS) - set(split_of.values())
    if missing or not names:
        what = _COMMAND_LISTS[min(missing)] if missing else "recordings"
        raise DataError(f"{path} holds no {what}")
    words = sorted({name.split("/")[0] for name in names})
    frames, lengths = pad_frames(recordings, LONGEST)
    return {
        "frames": frames, "lengths": lengths, "words": np.array(words),
        "labels": np.array([words.index(name.split("/")[0]) for name in names], np.int32),
        "splits": np.array([SPLITS.index(split_of.get(name, "train")) for name in names], np.uint8),
    }  # fmt: skip
