"""Classifiers of images that ignore the order of pixels."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lstmlab.simple_models.classifiers import Labelled
from lstmlab.tasks.batching import accuracies
from lstmlab.tasks.vision.sequential_images.dataset import CLASSES, Images


def baselines(train: Images, test: Images) -> dict[str, float]:
    """Test accuracies, best first: the class whose mean training image is nearest, and the most frequent training
    class.
    """
    train_pixels, test_pixels = (p.images.reshape(len(p.images), -1).astype(np.float32) for p in (train, test))
    means = np.stack([train_pixels[train.labels == label].mean(axis=0) for label in range(CLASSES)])
    # |x - m|² without |x|², which is the same for all classes.
    nearest = np.argmin((means**2).sum(axis=1) - 2 * test_pixels @ means.T, axis=1)
    commonest = np.bincount(train.labels, minlength=CLASSES).argmax()
    return accuracies({"nearest mean image": nearest, "commonest class": commonest}, test.labels)


def pixel_splits(splits: Mapping[str, Images]) -> list[Labelled]:
    """Intensities of all pixels, 0 to 1, and labels, of training, validation and test."""
    parts = [splits["train"], splits["validation"], splits["test"]]
    return [Labelled(p.images.reshape(len(p.images), -1).astype(np.float32) / 255, p.labels) for p in parts]
