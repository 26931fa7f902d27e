"""Values that take long to compute, kept on disk under a hash of what they are computed from."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

CACHE_DIR_VARIABLE = "LSTMLAB_CACHE_DIR"


def remembered(name: str, inputs: Iterable[Any], compute: Callable[[], dict[str, float]]) -> dict[str, float]:
    """The values that ``compute`` returns, from an earlier call with equal inputs if there was one.

    They lie in ``$LSTMLAB_CACHE_DIR/baselines`` or the user's cache, one JSON file per name and hash of the inputs. All
    processes share them. A file that cannot be read is made anew; a folder that cannot be written gives a warning.

    Args:
        name: of the computation, part of the file's name; with a version, to be changed when ``compute`` changes.
        inputs: everything on which the values depend: arrays, and plain values of which ``repr`` tells all.
        compute: returns finite numbers by name.
    """
    path = _directory() / f"{name}-{_hash(inputs)}.json"
    values = _load(path)
    if values is None:
        values = compute()
        _save(path, values)
    return values


def _directory() -> Path:
    chosen = os.environ.get(CACHE_DIR_VARIABLE)
    return (Path(chosen).expanduser() if chosen else Path(platformdirs.user_cache_dir("lstmlab"))) / "baselines"


def _hash(inputs: Iterable[Any]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for item in inputs:
        if isinstance(item, np.ndarray) and item.dtype != object:
            digest.update(f"{item.dtype.str}{item.shape}".encode())
            digest.update(np.ascontiguousarray(item).view(np.uint8).data if item.size else b"")
        else:
            digest.update(f"{item!r};".encode())
    return digest.hexdigest()


def _load(path: Path) -> dict[str, float] | None:
    try:
        values = json.loads(path.read_text("utf-8"))
        return {str(key): float(value) for key, value in values.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def _save(path: Path, values: dict[str, float]) -> None:
    """Write under another name and rename, so that nobody reads an unfinished file."""
    unfinished = path.with_name(f"{path.stem}-{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(json.dumps(values), "utf-8")
        unfinished.replace(path)
    except OSError as error:
        warnings.warn(f"cannot write {path} ({error.strerror}): the next run computes it again", stacklevel=3)
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
