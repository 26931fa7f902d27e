"""Embedded digits, and full MNIST from idx files."""

import gzip
import hashlib
import struct
from dataclasses import replace

import numpy as np
import pytest

from lstmlab.data import download
from lstmlab.data.download import DataError
from lstmlab.tasks.vision.digits import load_digits, load_mnist, read_idx


def test_shapes_types_and_500_of_each():
    images, labels = load_digits()
    assert (images.shape, images.dtype) == ((5000, 28, 28), np.uint8)
    assert (labels.shape, labels.dtype) == ((5000,), np.uint8)
    assert np.bincount(labels).tolist() == [500] * 10
    assert (images.min(), images.max()) == (0, 255)


def test_order_is_shuffled():
    labels = load_digits().labels
    assert (np.diff(labels.astype(int)) == 0).mean() == pytest.approx(0.1, abs=0.02)
    assert np.bincount(labels[:1000], minlength=10).min() > 70


def test_images_belong_to_their_labels():
    """Nearest class mean, fitted on one half, recognises most of the other half."""
    images, labels = load_digits()
    pixels = images.reshape(5000, -1).astype(np.float64)
    means = np.stack([pixels[:2500][labels[:2500] == digit].mean(axis=0) for digit in range(10)])
    distances = (means**2).sum(axis=1) - 2 * pixels[2500:] @ means.T
    assert (distances.argmin(axis=1) == labels[2500:]).mean() > 0.75


def test_images_stand_upright():
    """Ones are high and narrow, sevens broad at the top: the axes are row, column."""
    images, labels = load_digits()
    ones, sevens = (images[labels == digit].astype(float).sum(axis=0) for digit in (1, 7))

    def spread(ink: np.ndarray) -> float:
        return float(np.sqrt(np.cov(np.arange(28), aweights=ink)))

    assert spread(ones.sum(axis=1)) > 1.5 * spread(ones.sum(axis=0))
    assert spread(sevens[6:11].sum(axis=0)) > 1.5 * spread(sevens[17:22].sum(axis=0))


def idx(array: np.ndarray) -> bytes:
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return gzip.compress(header + array.tobytes())


def test_mnist_is_read_from_its_four_files(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    expected = {}
    for name, count in (("train", 6), ("t10k", 4)):
        images = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        labels = rng.integers(0, 10, count, dtype=np.uint8)
        expected[name] = images, labels
        for part, array in (("images-idx3", images), ("labels-idx1", labels)):
            content = idx(array)
            entry = download.REGISTRY[f"mnist-{name}-{part}"]
            known_hash = f"md5:{hashlib.md5(content).hexdigest()}"
            monkeypatch.setitem(download.REGISTRY, entry.name, replace(entry, known_hash=known_hash))
            (tmp_path / "mnist").mkdir(exist_ok=True)
            (tmp_path / "mnist" / f"{name}-{part}-ubyte.gz").write_bytes(content)
    for digits, name in zip(load_mnist(tmp_path, offline=True), ("train", "t10k"), strict=True):
        np.testing.assert_array_equal(digits.images, expected[name][0])
        np.testing.assert_array_equal(digits.labels, expected[name][1])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not gzip",
        idx(np.zeros((3, 2), np.uint8))[:-6],
        gzip.compress(b"\0\0"),
        gzip.compress(b"\0\0\x0d\x01\0\0\0\1\0\0\0\0"),
        gzip.compress(b"\0\0\x08\x01\0\0\0\5\1\2\3"),
    ],
    ids=["empty", "plain", "cut gzip", "cut header", "floats", "cut data"],
)
def test_broken_idx_file_is_named(tmp_path, content):
    path = tmp_path / "x-ubyte.gz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"x-ubyte\.gz is not a gzip-compressed idx file") as error:
        read_idx(path)
    assert "\n" not in str(error.value)
