"""Classifiers of recordings that ignore the order of frames, or all of it but the quarter in which they are."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float64, Int

from lstmlab.tasks.batching import accuracies
from lstmlab.tasks.speech.recordings import FeatureScale, Utterances

QUARTERS = 4


def baselines(train: Utterances, test: Utterances, scale: FeatureScale, classes: int) -> dict[str, float]:
    """Test accuracies, best first.

    * ``nearest mean frame``: the class whose mean over all its recordings' mean frames is nearest, features being
      divided by their deviation over the training split;
    * ``commonest class``: the most frequent training class.
    """
    train_means, test_means = (mean_frames(split, scale) for split in (train, test))
    centres = np.stack([train_means[train.labels == label].mean(axis=0) for label in range(classes)])
    nearest = np.argmin(np.square(test_means[:, None] - centres).sum(axis=-1), axis=1)
    commonest = np.bincount(train.labels, minlength=classes).argmax()
    return accuracies({"nearest mean frame": nearest, "commonest class": commonest}, test.labels)


def mean_frames(utterances: Utterances, scale: FeatureScale) -> Float64[np.ndarray, "recordings features"]:
    """The mean valid frame of every recording, scaled by the training split."""
    means = np.einsum("rtf,rt->rf", utterances.frames, utterances.valid, dtype=np.float64)
    return (means / utterances.lengths[:, None] - scale.mean) / scale.deviation


def pooled(
    frames: Float[np.ndarray, "recordings time features"], lengths: Int[np.ndarray, " recordings"]
) -> Float64[np.ndarray, "recordings pooled"]:
    """The means of each feature over the quarters of a recording, and its deviation over all of it.

    A quarter holds at least one frame; quarters of short recordings overlap.
    """
    time = np.arange(frames.shape[1])
    frames = frames.astype(np.float64)
    means = []
    for quarter in range(QUARTERS):
        first = lengths * quarter // QUARTERS
        end = np.maximum(lengths * (quarter + 1) // QUARTERS, first + 1)
        inside = (time >= first[:, None]) & (time < end[:, None])
        means.append(np.einsum("rtf,rt->rf", frames, inside) / inside.sum(axis=1, keepdims=True))
    valid = time < lengths[:, None]
    mean = np.einsum("rtf,rt->rf", frames, valid) / lengths[:, None]
    square = np.einsum("rtf,rt->rf", frames**2, valid) / lengths[:, None]
    return np.concatenate([*means, np.sqrt(np.maximum(square - mean**2, 0))], axis=1)
