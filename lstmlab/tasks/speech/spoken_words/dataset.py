"""Google's Speech Commands: 35 words, by thousands of speakers."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import track

from lstmlab.data.archive import read_members
from lstmlab.data.cache import cached
from lstmlab.data.download import DataError, fetch
from lstmlab.tasks.speech.audio import log_mel, pad_frames, read_wav
from lstmlab.tasks.speech.recordings import Utterances

COUNT = 105_829  # wav files of words in the archive
SPLITS = ("train", "validation", "test")
_LISTS = {"validation": "validation_list.txt", "test": "testing_list.txt"}
_CACHE = ".log-mel-1.npz"
"""beside the archive; the number changes with the format or with the spectrograms"""
_LONGEST = 64  # frames: every recording is cut to one second, 62.5 frames


class Commands(NamedTuple):
    """The recordings of each split, and the classes in order."""

    splits: dict[str, Utterances]
    words: tuple[str, ...]


def load_commands(data_dir: str | os.PathLike[str] | None = None) -> Commands:
    """The published splits: recordings that the archive's ``validation_list.txt`` and ``testing_list.txt`` name, and
    all others for training; one speaker is in one split.

    The spectrograms are computed once, which takes some minutes, and kept beside the archive.

    Raises:
        DataError: the archive cannot be had, or does not hold what it should.
    """
    return read_commands(fetch("speech_commands", data_dir))


@functools.lru_cache(maxsize=1)
def read_commands(path: Path) -> Commands:
    """The splits of an archive, or of what was kept of it."""
    arrays = cached(path, path.name.removesuffix(".tar.gz") + _CACHE, lambda: _compute(path))
    everything = Utterances(*(arrays[part] for part in Utterances._fields))
    chosen = {split: arrays["splits"] == number for number, split in enumerate(SPLITS)}
    splits = {split: Utterances(*(a[rows] for a in everything)) for split, rows in chosen.items()}
    return Commands(splits, tuple(arrays["words"].tolist()))


def _compute(path: Path) -> dict[str, np.ndarray]:
    """Spectrograms, lengths, classes and splits of all recordings of words."""
    listed: dict[str, str] = {}
    names: list[str] = []
    recordings: list[np.ndarray] = []
    # Folders with an underscore hold background noise.
    members = read_members(path, lambda name: name in _LISTS.values() or (name[0] != "_" and name.endswith(".wav")))
    console = Console(stderr=True)
    for name, content in track(
        members, "log-mel spectrograms", COUNT, console=console, transient=True, disable=not console.is_terminal
    ):
        if name.endswith(".txt"):
            split = next(split for split, file in _LISTS.items() if file == name)
            listed |= dict.fromkeys(content.decode("utf-8").split(), split)
        else:
            names.append(name)
            recordings.append(log_mel(read_wav(content, f"{path}: {name}")))
    missing = set(_LISTS) - set(listed.values())
    if missing or not names:
        what = _LISTS[min(missing)] if missing else "recordings"
        raise DataError(f"{path} holds no {what}")
    words = sorted({name.split("/")[0] for name in names})
    frames, lengths = pad_frames(recordings, _LONGEST)
    return {
        "frames": frames, "lengths": lengths, "words": np.array(words),
        "labels": np.array([words.index(name.split("/")[0]) for name in names], np.int32),
        "splits": np.array([SPLITS.index(listed.get(name, "train")) for name in names], np.uint8),
    }  # fmt: skip
