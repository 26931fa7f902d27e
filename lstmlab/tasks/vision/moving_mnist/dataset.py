"""The test sequences of Moving MNIST with which results are published."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

from lstmlab.data.download import DataError, fetch

PUBLISHED_SEQUENCES, PUBLISHED_FRAMES = 10_000, 20


def load_moving_mnist_test(
    sequences: int, frames: int, data_dir: str | os.PathLike[str] | None = None
) -> NDArray[np.uint8]:
    """The first sequences of ``mnist_test_seq.npy``, uint8 ``[sequences, frames, 64, 64]``.

    The file holds ``[20, 10000, 64, 64]``, time first; it is found in ``data_dir`` as
    ``moving_mnist/mnist_test_seq.npy`` or downloaded (819 MB).

    Raises:
        DataError: the file cannot be had or read.

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
