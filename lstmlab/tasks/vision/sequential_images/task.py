"""Images read pixel by pixel: what is it?"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from lstmlab.settings import setting
from lstmlab.tasks.batching import ClassificationTask, accuracies, take
from lstmlab.tasks.registry import register_task
from lstmlab.tasks.task import Batch, Features, Plot, Predictor, Split
from lstmlab.tasks.vision.sequential_images.dataset import CLASSES, DATASETS, Images, load_images

PERMUTATION_SEED = 92916  # any; all runs share it
SHOWN = 25


@register_task(
    "sequential_images",
    title="class of an image that is read pixel by pixel",
    data="5000 MNIST digits, embedded (CC BY-SA 3.0, LeCun & Cortes); mnist, fashion_mnist, cifar10 by download",
    paper="Le, Jaitly & Hinton 2015, arXiv:1504.00941",
    published="dataset=mnist: LSTMs 87.2 to 98.9 %, by protocol alone (see `lstmlab tasks sequential_images`)",
)
@dataclasses.dataclass(frozen=True)
class SequentialImages(ClassificationTask):
    """One pixel per step, row by row from the top left, or in one random order for all images (``permuted``).

    The 784 steps of a digit are a test of memory; permuted ones have no neighbourhood left. ``pixels_per_step=28``
    reads a row at a time, which is quick to try. Intensities lie in [0, 1]; colours are three features of a step.

    Published for sequential / permuted MNIST with all 60 000 digits: LSTM 87.2 / 85.7 % and GRU 96.2 / 87.3 % (Bai et
    al. 2018, one layer of 130, 10 epochs), LSTM 98.9 / 90.2 % (Cooijmans et al. 2017), UR-LSTM 99.28 / 96.96 %.
    The embedded default has 4000 training digits, so its results do not compare with these.
    """

    dataset: str = setting("mnist_5k", "the images; all but mnist_5k are downloaded", choices=DATASETS)
    permuted: bool = setting(False, "read the pixels in one fixed random order", choices=(False, True))
    pixels_per_step: int = setting(1, "pixels read at once; must divide their number", minimum=1)

    defaults = (
        "training.steps=2000", "training.batch_size=64", "training.eval_batch_size=250", "training.log_every=50",
        "training.eval_every=250",
    )  # fmt: skip

    def __post_init__(self) -> None:
        """Refuse steps that do not divide an image; raises ``ValueError``."""
        if self.pixels % self.pixels_per_step:
            raise ValueError(
                f"task.pixels_per_step={self.pixels_per_step} does not divide the {self.pixels} pixels of an image"
            )

    @property
    def pixels(self) -> int:
        """Pixels of an image."""
        return 32 * 32 if self.dataset == "cifar10" else 28 * 28

    @property
    def channels(self) -> int:
        """Numbers per pixel."""
        return 3 if self.dataset == "cifar10" else 1

    @cached_property
    def splits(self) -> dict[str, Images]:
        """All images, as they are."""
        return load_images(self.dataset, self.data_dir)

    @cached_property
    def order(self) -> np.ndarray:
        """Which pixel is read when."""
        order = np.arange(self.pixels)
        return np.random.RandomState(PERMUTATION_SEED).permutation(order) if self.permuted else order

    @property
    def inputs(self) -> Features:
        """The pixels of a step."""
        return Features(self.pixels_per_step * self.channels)

    @property
    def outputs(self) -> Features:
        """One logit per class."""
        return Features(CLASSES)

    def data(self) -> Mapping[str, Any]:
        """Per split ``pixels [images, steps, features]`` uint8, in the order of reading, and ``labels [images]``."""
        steps = self.pixels // self.pixels_per_step

        def read(part: Images) -> dict[str, np.ndarray]:
            flat = part.images.reshape(len(part.images), self.pixels, self.channels)[:, self.order]
            return {"pixels": flat.reshape(len(flat), steps, self.inputs.size), "labels": part.labels.astype(np.int32)}

        return {split: read(part) for split, part in self.splits.items()}

    def rows(self, split: Split) -> int:
        """Images."""
        return len(self.splits[split].labels)

    def pick(self, data: Any, rows: Int[Array, " batch"]) -> Batch:
        """Images with intensities in [0, 1], and their labels."""
        part = take(data, rows)
        return Batch(part["pixels"].astype(jnp.float32) / 255, part["labels"])

    def baselines(self) -> dict[str, float]:
        """The class whose mean training image is nearest, which sees no order; and the commonest training class."""
        train, test = self.splits["train"], self.splits["test"]
        flat = [part.images.reshape(len(part.images), -1).astype(np.float32) for part in (train, test)]
        means = np.stack([flat[0][train.labels == k].mean(axis=0) for k in range(CLASSES)])
        # |x - m|² without |x|², which is the same for all classes.
        nearest = np.argmin((means**2).sum(axis=1) - 2 * flat[1] @ means.T, axis=1)
        commonest = np.bincount(train.labels, minlength=CLASSES).argmax()
        return accuracies({"nearest mean image": nearest, "commonest class": commonest}, test.labels)

    def plot(self, predictor: Predictor) -> list[Plot]:
        """The first test images, each with the class that the model names; mistakes framed."""
        part = self.splits["test"]
        batch = self.pick(self.data()["test"], jnp.arange(len(part.labels[:SHOWN])))
        named = np.asarray(jnp.argmax(predictor.predict(batch), axis=-1))
        wrong = named != part.labels[:SHOWN]
        return [Plot("images", picture=_sheet(part.images[:SHOWN], wrong))]


def _sheet(images: np.ndarray, wrong: np.ndarray) -> np.ndarray:
    """Images five in a row, in colour, enlarged; those named wrong have a red frame."""
    framed = np.full((len(images), images.shape[1] + 4, images.shape[2] + 4, 3), 255, np.uint8)
    framed[wrong] = (213, 94, 0)
    framed[:, 2:-2, 2:-2] = images
    rows = [np.concatenate(list(framed[k : k + 5]), axis=1) for k in range(0, len(framed), 5)]
    return np.kron(np.concatenate(rows), np.ones((3, 3, 1), np.uint8))
