"""Small labelled images: MNIST (5000 inside the package, all by download), Fashion-MNIST, CIFAR-10."""

from __future__ import annotations

import os
import pickle
import tarfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8

from lstmlab.data.download import DataError, fetch
from lstmlab.tasks.vision.digits import EMBEDDED_SPLITS, HELD_OUT, load_digits, load_mnist, read_idx

DATASETS = ("mnist_5k", "mnist", "fashion_mnist", "cifar10")
CLASSES = 10


class Images(NamedTuple):
    """Images of one split, and their classes."""

    images: UInt8[np.ndarray, "count h w channels"]
    labels: UInt8[np.ndarray, " count"]
    """0 … 9"""


def load_images(dataset: str, data_dir: str | os.PathLike[str] | None = None) -> dict[str, Images]:
    """Training, validation and test split of a data set.

    * ``mnist_5k``: 4000/500/500 digits of MNIST. Embedded.
    * ``mnist``, ``fashion_mnist``: 55000/5000/10000 of 28×28 pixels; the validation images are the last of the
      published training set, the test set is the published one.
    * ``cifar10``: 45000/5000/10000 of 32×32 pixels in three colours, likewise.

    Raises:
        DataError: unknown data set, or a file that cannot be downloaded or read.
    """
    if dataset == "mnist_5k":
        images, labels = _with_channel(load_digits())
        return {split: Images(images[first:end], labels[first:end]) for split, (first, end) in EMBEDDED_SPLITS.items()}
    if dataset == "mnist":
        train, test = (_with_channel(part) for part in load_mnist(data_dir))
    elif dataset == "fashion_mnist":
        train, test = (_fashion(part, data_dir) for part in ("train", "t10k"))
    elif dataset == "cifar10":
        train, test = _cifar10(fetch("cifar10", data_dir))
    else:
        raise DataError(f"unknown set of images {dataset!r}; known are: {', '.join(DATASETS)}")
    border = len(train.labels) - HELD_OUT
    return {
        "train": Images(train.images[:border], train.labels[:border]),
        "validation": Images(train.images[border:], train.labels[border:]),
        "test": test,
    }


def _with_channel(part: tuple[np.ndarray, np.ndarray]) -> Images:
    return Images(part[0][..., None], part[1])


def _fashion(part: str, data_dir: str | os.PathLike[str] | None) -> Images:
    images, labels = (
        read_idx(fetch(f"fashion-mnist-{part}-{kind}", data_dir)) for kind in ("images-idx3", "labels-idx1")
    )
    return _with_channel((images, labels))


def _cifar10(path: Path) -> tuple[Images, Images]:
    """The five training batches and the test batch of the published archive."""

    def batch(archive: tarfile.TarFile, name: str) -> Images:
        member = archive.extractfile(f"cifar-10-batches-py/{name}")
        if member is None:
            raise KeyError(name)
        # The archive's hash has been verified: these are the bytes that its authors published.
        content = pickle.load(member, encoding="bytes")
        pixels = np.asarray(content[b"data"], np.uint8).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        return Images(pixels, np.asarray(content[b"labels"], np.uint8))

    try:
        with tarfile.open(path) as archive:
            parts = [batch(archive, f"data_batch_{k}") for k in range(1, 6)]
            test = batch(archive, "test_batch")
    except (OSError, EOFError, KeyError, ValueError, tarfile.TarError, pickle.UnpicklingError) as error:
        raise DataError(f"{path} is not the archive of CIFAR-10 for Python: {error}") from error
    return Images(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True))), test
