"""A directory belongs to one run at a time, and the name of a new directory to the first who makes it."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from lstmlab.tracking.files import RunError

LOCK = ".lock"
"""the lock's file in a directory. It stays there: the lock is the system's, which frees it when its process ends."""

_kept: dict[Path, FileLock] = {}
"""Locks of :func:`keep`, by resolved directory, until :func:`owned` takes them."""
_guard = threading.Lock()


@contextlib.contextmanager
def owned(directory: Path) -> Iterator[None]:
    """Own the directory, which is made where needed, for the block; also against other threads of this process.

    A lock that :func:`keep` holds for the directory is taken over. Raises ``RunError`` where another run has it.
    """
    with _guard:
        lock = _kept.pop(directory.resolve(), None)
    lock = lock or _acquire(directory)
    try:
        yield
    finally:
        lock.release()


def keep(directory: Path) -> None:
    """Own the directory from now until :func:`owned` takes it over, :func:`let_go`, or the end of the process.

    Raises ``RunError`` where another run has it.
    """
    lock = _acquire(directory)
    with _guard:
        _kept[directory.resolve()] = lock


def let_go(directory: Path) -> None:
    """End :func:`keep`; does nothing where the directory is not kept."""
    with _guard:
        lock = _kept.pop(directory.resolve(), None)
    if lock:
        lock.release()


def new_directory(wanted: Path) -> Path:
    """Make a directory that nobody else has made: the wanted one, or the first of ``wanted-2``, ``wanted-3`` …"""
    wanted.parent.mkdir(parents=True, exist_ok=True)
    for number in itertools.count(1):
        directory = wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}")
        with contextlib.suppress(FileExistsError):
            directory.mkdir()
            return directory
    raise AssertionError("unreachable")


def _acquire(directory: Path) -> FileLock:
    directory.mkdir(parents=True, exist_ok=True)
    # thread_local: a lock that one thread takes is released by another.
    lock = FileLock(directory / LOCK, timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        raise RunError(
            f"{directory} is in use by another run: wait until it has ended, or name another directory"
        ) from None
    return lock
