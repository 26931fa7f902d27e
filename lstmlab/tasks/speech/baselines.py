"""Classifiers of recordings that ignore the order of frames."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from lstmlab.tasks.batching import accuracies
from lstmlab.tasks.speech.recordings import FeatureScale, Utterances


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
