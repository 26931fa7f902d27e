"""Recordings of different lengths, each with one class: the form in which every data set of this family is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Int, Int32, Shaped

from lstmlab.data.spread import spread_or_one


class Utterances(NamedTuple):
    """Recordings as padded sequences of feature vectors, and their classes."""

    frames: Shaped[np.ndarray, "recordings time features"]
    """zeros after the end of each recording"""
    lengths: Int32[np.ndarray, " recordings"]
    """number of valid frames"""
    labels: Int32[np.ndarray, " recordings"]

    @property
    def valid(self) -> Bool[np.ndarray, "recordings time"]:
        """True at the frames of a recording, false at padding."""
        return np.arange(self.frames.shape[1]) < self.lengths[:, None]

    def select(self, rows: Shaped[np.ndarray, " recordings"]) -> Utterances:
        """The recordings that a mask or an array of indices selects."""
        return Utterances(self.frames[rows], self.lengths[rows], self.labels[rows])


class FeatureScale(NamedTuple):
    """Mean and standard deviation of each feature."""

    mean: Float32[np.ndarray, " features"]
    deviation: Float32[np.ndarray, " features"]


def feature_scale(utterances: Utterances) -> FeatureScale:
    """Mean and standard deviation over all valid frames; the deviation of a feature that is constant is 1."""
    frames = utterances.frames[utterances.valid]
    mean = frames.astype(np.float64).mean(axis=0)
    return FeatureScale(mean.astype(np.float32), (spread_or_one(frames) + 1e-6).astype(np.float32))


def pad_frames(
    recordings: Sequence[Shaped[np.ndarray, "_ features"]], longest: int | None = None
) -> tuple[Shaped[np.ndarray, "recordings time features"], Int32[np.ndarray, " recordings"]]:
    """Recordings ``[time, features]`` of one dtype as one array, padded with zeros at the end, and their lengths.

    Recordings longer than ``longest`` are cut off; by default the longest recording sets the length of the array.
    """
    lengths = np.array([len(frames) for frames in recordings], np.int32)
    longest = int(lengths.max()) if longest is None else longest
    lengths = np.minimum(lengths, longest)
    padded = np.zeros((len(recordings), longest, recordings[0].shape[1]), recordings[0].dtype)
    for row, (frames, length) in enumerate(zip(recordings, lengths, strict=True)):
        padded[row, :length] = frames[:length]
    return padded, lengths


def index_in_group(groups: Int[np.ndarray, " recordings"]) -> Int[np.ndarray, " recordings"]:
    """For each recording the number of earlier ones in the same group."""
    index = np.zeros(len(groups), int)
    for group in np.unique(groups):
        members = groups == group
        index[members] = np.arange(members.sum())
    return index
