"""Arrays that take minutes to compute from an archive, stored beside it."""

from __future__ import annotations

import contextlib
import os
import warnings
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np


def cached(archive: Path, name: str, compute: Callable[[], Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Return the arrays in the file ``name`` beside an archive; if there is no such file, compute and write them.

    The file records size and modification time of the archive. Arrays of another archive, or of a file that cannot be
    read, are computed again. ``name`` should contain a version number, to be changed when ``compute`` changes. If the
    folder cannot be written, a warning says so.
    """
    path = archive.with_name(name)
    stat = archive.stat()
    stamp = np.array([stat.st_size, stat.st_mtime_ns], np.int64)
    arrays = _load(path, stamp)
    if arrays is None:
        arrays = dict(compute())
        _save(path, {**arrays, "stamp": stamp})
    return arrays


def _load(path: Path, stamp: np.ndarray) -> dict[str, np.ndarray] | None:
    try:
        with np.load(path) as file:
            arrays: dict[str, Any] = dict(file)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, EOFError, zlib.error, zipfile.BadZipFile):
        warnings.warn(f"{path} cannot be read and is made anew", stacklevel=3)
        return None
    return arrays if np.array_equal(arrays.pop("stamp", None), stamp) else None


def _save(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write under another name and rename, so that nobody reads an unfinished file."""
    unfinished = path.with_name(f"{path.stem}-{os.getpid()}.npz")
    try:
        np.savez_compressed(unfinished, **arrays)  # type: ignore[arg-type]
        unfinished.replace(path)
    except OSError as error:
        reason = f"cannot write {path} ({error.strerror})"
        warnings.warn(f"{reason}: the next run reads the archive again", stacklevel=3)
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
