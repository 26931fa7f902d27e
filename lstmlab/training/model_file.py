"""``model.npz``: written whole, and read only where every array has the shape that the model expects."""

from __future__ import annotations

import lzma
import math
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from lstmlab.tracking.files import replaced_atomically
from lstmlab.training.checkpoint import fill, named_leaves

# Beside its own errors, zipfile passes on those of every decompressor.
UNREADABLE = (
    OSError, EOFError, ValueError, KeyError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error,
    lzma.LZMAError,
)  # fmt: skip
"""what :func:`read_model` raises for a file that is no model's"""
LARGEST_ITEM = 16
"""bytes of the largest number: a complex one in double precision"""


def write_model(model: Any, path: Path) -> None:
    """Write the parameters by name; the file is there as a whole or not at all."""
    arrays = {name: np.asarray(leaf) for name, leaf in named_leaves(model).items()}
    with replaced_atomically(path) as stream:
        np.savez(stream, **arrays)  # type: ignore[arg-type] - NumPy's types know no names of arrays but its own


def read_model(template: Any, path: Path) -> Any:
    """The template with the arrays of the file.

    Headers are checked first: a small file from anybody may unpack to more than the memory holds. Raises one of
    ``UNREADABLE``: ``ValueError`` names the array that is missing or other than expected.
    """
    wanted = named_leaves(template)
    with zipfile.ZipFile(path) as archive:
        for name, leaf in wanted.items():
            if f"{name}.npy" in archive.namelist():
                _check_header(archive, name, tuple(leaf.shape))
    with np.load(path, allow_pickle=False) as arrays:
        return fill(template, {name: arrays[name] for name in wanted if name in arrays})


def _check_header(archive: zipfile.ZipFile, name: str, wanted: tuple[int, ...]) -> None:
    info = archive.getinfo(f"{name}.npy")
    with archive.open(info) as stream:
        version = np.lib.format.read_magic(stream)
        if version == (1, 0):
            shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
        else:
            shape, _, dtype = np.lib.format.read_array_header_2_0(stream)
        start = stream.tell()
    if shape != wanted:
        raise ValueError(f"'{name}' has shape {shape}, but the configuration asks for {wanted}")
    if dtype.hasobject or dtype.itemsize > LARGEST_ITEM:
        raise ValueError(f"'{name}' has type {dtype}, which is no number")
    if info.file_size != start + math.prod(shape) * dtype.itemsize:
        raise ValueError(f"'{name}' has {info.file_size} bytes, which do not fit its shape {shape} of {dtype}")
