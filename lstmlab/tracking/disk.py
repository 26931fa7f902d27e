"""A disk that is full, or a directory that has gone: known by the error, whoever raises it, and told in one line."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

from lstmlab.tracking.files import RunError

PROBE = 1 << 14
"""bytes that :func:`check_room` writes at least; the first files of a run, which Hydra writes, need less"""
_CODES = {
    errno.ENOSPC: "no space is left on the disk", errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "a file would be larger than the system allows",
}  # fmt: skip
_TEXTS = {"No space left on device": errno.ENOSPC, "Disk quota exceeded": errno.EDQUOT, "File too large": errno.EFBIG}
"""what libraries that are not written in Python say"""


class DiskFull(RunError):
    """Nothing more can be written; what was written before is whole."""


def disk_full(error: BaseException, directory: Path, needed: int | None = None) -> DiskFull | None:
    """The error that says that ``directory`` cannot be written, where that is the cause of ``error``.

    ``needed`` is how many bytes were to be written, if known.
    """
    for cause in _causes(error):
        if isinstance(cause, DiskFull):
            return cause
        code = cause.errno if isinstance(cause, OSError) else None
        code = code or next((code for text, code in _TEXTS.items() if text in str(cause)), None)
        if code in _CODES:
            size = "" if needed is None else f" ({needed / 1e6:.3g} MB are needed)"
            return DiskFull(
                f"cannot write to {directory}: {_CODES[code]}{size}; what was written before is kept: make room, then "
                "go on with resume=true"
            )
    return None


def directory_gone(error: BaseException, directory: Path) -> RunError | None:
    """The error that says that ``directory``, which was there, is none any more, where ``error`` comes from a file."""
    if directory.is_dir() or not any(isinstance(cause, OSError) for cause in _causes(error)):
        return None
    return RunError(
        f"{directory} is gone: it was removed, renamed or replaced while the run wrote there; put it back and go on "
        "with resume=true, or start the run again"
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def check_room(directory: Path, needed: int | None = None) -> None:
    """Raise ``DiskFull``, or another ``OSError``, where the directory takes no file of ``needed`` bytes."""
    probe = directory / f".room.{os.getpid()}.tmp"
    try:
        with probe.open("wb") as stream:
            stream.write(bytes(PROBE))
            stream.flush()
            if needed and hasattr(os, "posix_fallocate"):
                os.posix_fallocate(stream.fileno(), 0, needed)
            os.fsync(stream.fileno())
    except OSError as error:
        raise disk_full(error, directory, needed) or error from None
    finally:
        probe.unlink(missing_ok=True)
