"""Classification of images that are read pixel by pixel."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cached_property

import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Int

from lstmlab.arrays import RowNumbers
from lstmlab.settings import setting
from lstmlab.tasks.batching import ClassificationTask, take
from lstmlab.tasks.classifier_baselines import learned_classifiers
from lstmlab.tasks.registry import register_task
from lstmlab.tasks.task import Batch, Features, Plot, Predictor, Split
from lstmlab.tasks.vision.sequential_images.baselines import baselines, pixel_splits
from lstmlab.tasks.vision.sequential_images.dataset import CLASSES, DATASETS, Images, load_images
from lstmlab.tasks.vision.sequential_images.plots import image_sheet

PERMUTATION_SEED = 92916  # an arbitrary number, the same for all runs
PLOTTED_IMAGES = 25


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

    The 784 steps of a digit are a test of memory; in permuted images, nearby pixels are no longer read close together.
    ``pixels_per_step=28`` reads a row at a time, which is quick to try. Intensities lie in [0, 1]; colours are three
    features of a step.

    Published for sequential / permuted MNIST with all 60 000 digits: LSTM 87.2 / 85.7 % and GRU 96.2 / 87.3 % (Bai et
    al. 2018, one layer of 130, 10 epochs), LSTM 98.9 / 90.2 % (Cooijmans et al. 2017), UR-LSTM 99.28 / 96.96 %.
    The embedded default has 4000 training digits, so its results cannot be compared with these.
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
    def reference_value(self) -> float:  # type: ignore[override]
        """Of mnist by pixels 0.989, permuted 0.902, by LSTMs (Cooijmans et al. 2017); else the perfect one, 1."""
        if self.dataset != "mnist" or self.pixels_per_step > 1:
            return 1.0
        return 0.902 if self.permuted else 0.989

    @property
    def pixels(self) -> int:
        """Number of pixels of an image."""
        return 32 * 32 if self.dataset == "cifar10" else 28 * 28

    @property
    def channels(self) -> int:
        """Number of colour channels."""
        return 3 if self.dataset == "cifar10" else 1

    @cached_property
    def splits(self) -> dict[str, Images]:
        """The images of each split."""
        return load_images(self.dataset, self.data_dir)

    @cached_property
    def order(self) -> Int[np.ndarray, " pixels"]:
        """Indices of the pixels in the order of reading."""
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

    def data(self) -> Mapping[str, Mapping[str, np.ndarray]]:
        """Per split ``pixels [images, time, features]``, uint8 in the order of reading, and ``labels [images]``."""
        steps = self.pixels // self.pixels_per_step

        def read(part: Images) -> dict[str, np.ndarray]:
            flat = part.images.reshape(len(part.images), self.pixels, self.channels)[:, self.order]
            return {"pixels": flat.reshape(len(flat), steps, self.inputs.size), "labels": part.labels.astype(np.int32)}

        return {split: read(part) for split, part in self.splits.items()}

    def rows(self, split: Split) -> int:
        """Number of images in a split."""
        return len(self.splits[split].labels)

    def pick(self, data: Mapping[str, ArrayLike], rows: RowNumbers) -> Batch:
        """Images with intensities in [0, 1], and their labels."""
        part = take(data, rows)
        return Batch(part["pixels"].astype(jnp.float32) / 255, part["labels"])

    def baselines(self) -> dict[str, float]:
        """Test accuracies of the nearest mean image, which ignores the order of pixels, and of the most frequent
        class.
        """
        return baselines(self.splits["train"], self.splits["test"])

    def slow_baselines(self) -> dict[str, float]:
        """Test accuracies of classifiers that see all pixels of an image at once."""
        arrays = [array for part in self.splits.values() for array in part]
        return learned_classifiers(arrays, lambda: pixel_splits(self.splits))

    def plot(self, predictor: Predictor) -> list[Plot]:
        """The first test images; those that the model classifies wrongly are framed."""
        part = self.splits["test"]
        images, labels = part.images[:PLOTTED_IMAGES], part.labels[:PLOTTED_IMAGES]
        batch = self.pick(self.data()["test"], jnp.arange(len(labels)))
        predictions = np.asarray(jnp.argmax(predictor.predict(batch), axis=-1))
        return [Plot("images", picture=image_sheet(images, labels, predictions))]
