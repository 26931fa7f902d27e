"""What Moving MNIST is made of: the digits of each split, and the test sequences on which results are published."""

from __future__ import annotations

import os
from collections.abc import Mapping

import numpy as np
from jaxtyping import UInt8

from lstmlab.data.download import DataError, fetch
from lstmlab.tasks.vision.digits import EMBEDDED_SPLITS, HELD_OUT, load_digits, load_mnist

IMAGES = ("embedded", "mnist")
PUBLISHED_SEQUENCES, PUBLISHED_FRAMES = 10_000, 20
PUBLISHED_SIZES = {"frame_size": 64, "digit_size": 28, "digits": 2}


def load_split_digits(
    images: str, data_dir: str | os.PathLike[str] | None = None
) -> dict[str, UInt8[np.ndarray, "count 28 28"]]:
    """Digits per split, no digit in two of them.

    * ``embedded``: 4000/500/500 digits of MNIST. Embedded.
    * ``mnist``: 55000/5000/10000; the validation digits are the last of the published training set.

    Raises:
        DataError: MNIST is missing and cannot be downloaded.
    """
    if images == "embedded":
        digits = load_digits().images
        return {split: digits[first:end] for split, (first, end) in EMBEDDED_SPLITS.items()}
    train, test = load_mnist(data_dir)
    return {"train": train.images[:-HELD_OUT], "validation": train.images[-HELD_OUT:], "test": test.images}


def load_published_test(
    sequences: int, frames: int, data_dir: str | os.PathLike[str] | None = None
) -> UInt8[np.ndarray, "sequences frames 64 64"]:
    """The first sequences of ``mnist_test_seq.npy``.

    The file holds ``[20, 10000, 64, 64]``, time first; it is read from ``data_dir`` as
    ``moving_mnist/mnist_test_seq.npy``, or downloaded (819 MB).

    Raises:
        DataError: the file cannot be downloaded or read.

    Source: Srivastava, Mansimov & Salakhutdinov, "Unsupervised learning of video representations using LSTMs", 2015.
    """
    path = fetch("moving_mnist_test", data_dir)
    try:
        whole = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DataError(f"{path} is not a NumPy file: {error}") from None
    if whole.dtype != np.uint8 or whole.ndim != 4:
        raise DataError(f"{path} holds {whole.dtype} of shape {whole.shape}, not uint8 [frames, sequences, 64, 64]")
    return np.ascontiguousarray(whole[:frames, :sequences].swapaxes(0, 1))


def check_published(sizes: Mapping[str, int], input_frames: int, target_frames: int, sequences: int) -> None:
    """Raise ``ValueError`` for options that the published test set cannot serve; ``sizes`` as ``PUBLISHED_SIZES``."""
    for key, value in PUBLISHED_SIZES.items():
        if sizes[key] != value:
            raise ValueError(f"task.test_set=published needs task.{key}={value}, not {sizes[key]}")
    if input_frames + target_frames > PUBLISHED_FRAMES:
        raise ValueError(
            f"task.test_set=published has {PUBLISHED_FRAMES} frames, but task.input_frames={input_frames} "
            f"and task.target_frames={target_frames} are more"
        )
    if sequences > PUBLISHED_SEQUENCES:
        raise ValueError(
            f"task.test_set=published has {PUBLISHED_SEQUENCES} sequences, but task.eval_examples={sequences}"
        )
