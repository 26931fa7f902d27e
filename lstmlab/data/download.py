"""Data sets that are downloaded: where they are kept and how they are verified.

`fetch` returns the path of a verified file. A file that is already there is never downloaded
again, so that a data directory filled by hand serves a machine without a network.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from collections.abc import Iterator
from pathlib import Path

import platformdirs

from lstmlab.data.registry import REGISTRY, Download
from lstmlab.data.transfer import Transfer, WrongContent, file_hash

DATA_DIR_VARIABLE = "LSTMLAB_DATA_DIR"


class DataError(RuntimeError):
    """Data cannot be had. The message is one line that says what to do; show it as it is."""


def data_directory(data_dir: str | os.PathLike[str] | None = None) -> Path:
    """Return the directory of downloads.

    The argument wins, then the environment variable `LSTMLAB_DATA_DIR`, then the platform's cache
    folder of the user (`~/.cache/lstmlab` on Linux).
    """
    chosen = data_dir or os.environ.get(DATA_DIR_VARIABLE) or platformdirs.user_cache_dir("lstmlab")
    return Path(chosen).expanduser()


def fetch(
    download: str | Download,
    data_dir: str | os.PathLike[str] | None = None,
    *,
    offline: bool = False,
) -> Path:
    """Return the path of a file whose hash is right, downloading it if it is not there.

    A download is verified before it gets its final name. One that breaks off leaves its bytes in `NAME.part` where
    the server can send the rest: the next call goes on from them. Processes that want the same file take turns.

    Args:
        download: a name in `REGISTRY`, or an entry of one's own.
        data_dir: directory of downloads; None as in `data_directory`.
        offline: never touch the network.

    Raises:
        DataError: unknown name, a file or a download with the wrong hash, a directory that cannot
            be written, no answer from the server, or a missing file when `offline`.
    """
    entry = REGISTRY.get(download) if isinstance(download, str) else download
    if entry is None:
        raise DataError(f"no download is called {download!r}; there are: {', '.join(REGISTRY)}")
    directory = data_directory(data_dir)
    found = _find(entry, directory)
    if found:
        return found
    target = directory / entry.filename
    if offline:
        raise DataError(f"offline, and {entry.name} is not there: put {entry.url} at {target}")
    return _download(entry, directory)


def _find(entry: Download, directory: Path) -> Path | None:
    """Return the first file with the right hash; a wrong one is an error if no right one exists."""
    wrong: list[str] = []
    for path in (directory / name for name in (entry.filename, *entry.also)):
        if not path.is_file():
            continue
        try:
            got = file_hash(path, entry.algorithm)
        except OSError as error:
            if not path.is_relative_to(directory):
                continue
            raise DataError(f"cannot read {path}: {error.strerror}") from error
        if got == entry.known_hash or _holds(path, entry.content_hash):
            return path
        if not path.is_relative_to(directory):
            continue  # another program's file, which is not ours to complain of
        wrong.append(
            f"{path} is not the {entry.name} file it should be: expected {entry.known_hash}, "
            f"got {got}; remove it, or give another data directory"
        )
    if wrong:
        raise DataError(wrong[0])
    return None


def _holds(path: Path, content_hash: str | None) -> bool:
    """Whether a gzip-compressed file has this content, however it was compressed."""
    if content_hash is None:
        return False
    algorithm = content_hash.split(":")[0]
    try:
        with gzip.open(path) as file:
            return f"{algorithm}:{hashlib.file_digest(file, algorithm).hexdigest()}" == content_hash  # type: ignore[arg-type]
    except (OSError, EOFError, zlib.error):
        return False


def _download(entry: Download, directory: Path) -> Path:
    """Download beside the target, going on where an earlier call broke off; verify, rename."""
    target = directory / entry.filename
    transfer = Transfer(entry.url, target)
    by_hand = f"or put the file by hand at {target}"
    try:
        transfer.run(entry.known_hash, entry.name)
    except WrongContent as error:
        raise DataError(
            f"{entry.url} sent something else than {entry.name}: expected {entry.known_hash}, "
            f"got {error}; nothing was kept; try again, or put the right file at {target}"
        ) from error
    except OSError as error:
        # The HTTP client's errors are OSErrors without the errno that the system's own carry.
        if error.errno is not None:
            raise DataError(f"cannot write {target}: {error.strerror}") from error
        what_now = "try again"
        if transfer.continues:
            size = "" if transfer.size is None else f" of {transfer.size}"
            what_now = (
                f"{transfer.received}{size} bytes are there, in {transfer.part}, and the same command goes on from them"
            )
        raise DataError(f"cannot download {entry.url} ({_root_cause(error)}); {what_now}, {by_hand}") from error
    return target


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what it was raised from, outermost first."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _root_cause(error: BaseException) -> str:
    """Say in one line what went wrong first: the HTTP client wraps it several times."""
    *_, first = _causes(error)
    return " ".join(str(first).split()) or type(first).__name__
