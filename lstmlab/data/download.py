"""Data sets that are downloaded: where they are kept and how they are verified.

`fetch` returns the path of a verified file. A file that is already there is never downloaded
again, so that a data directory filled by hand serves a machine without a network.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pooch

from lstmlab.data.progress import DownloadBar
from lstmlab.data.registry import REGISTRY, Download

DATA_DIR_VARIABLE = "LSTMLAB_DATA_DIR"
TIMEOUT_SECONDS = 30
CHUNK_BYTES = 1 << 16


class DataError(RuntimeError):
    """Data cannot be had. The message is one line that says what to do; show it as it is."""


def data_directory(data_dir: str | os.PathLike[str] | None = None) -> Path:
    """Return the directory of downloads.

    The argument wins, then the environment variable `LSTMLAB_DATA_DIR`, then the platform's cache
    folder of the user (`~/.cache/lstmlab` on Linux).
    """
    chosen = data_dir or os.environ.get(DATA_DIR_VARIABLE) or pooch.os_cache("lstmlab")
    return Path(chosen).expanduser()


def fetch(
    download: str | Download,
    data_dir: str | os.PathLike[str] | None = None,
    *,
    offline: bool = False,
) -> Path:
    """Return the path of a file whose hash is right, downloading it if it is not there.

    A download is verified before it gets its final name; one that fails leaves nothing behind.

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
    _download(entry, target)
    return target


def _find(entry: Download, directory: Path) -> Path | None:
    """Return the first file with the right hash; a wrong one is an error if no right one exists."""
    wrong: list[str] = []
    for path in (directory / name for name in (entry.filename, *entry.also)):
        if not path.is_file():
            continue
        try:
            got = f"{entry.algorithm}:{pooch.file_hash(str(path), alg=entry.algorithm)}"
        except OSError as error:
            raise DataError(f"cannot read {path}: {error.strerror}") from error
        if got == entry.known_hash:
            return path
        wrong.append(
            f"{path} is not the {entry.name} file it should be: expected {entry.known_hash}, "
            f"got {got}; remove it, or give another data directory"
        )
    if wrong:
        raise DataError(wrong[0])
    return None


class _Transfer:
    """pooch's HTTP transfer, with a progress bar; remembers the hash of what came."""

    def __init__(self, entry: Download) -> None:
        self.entry = entry
        self.got = "nothing"

    def __call__(self, url: str, output_file: str, pooch_: object) -> None:
        with DownloadBar(self.entry.name) as bar:
            transfer = pooch.HTTPDownloader(
                progressbar=cast(Any, bar),  # annotated as bool, documented as a bar too
                chunk_size=CHUNK_BYTES,
                timeout=TIMEOUT_SECONDS,
            )
            transfer(url, output_file, pooch_)
        algorithm = self.entry.algorithm
        self.got = f"{algorithm}:{pooch.file_hash(output_file, alg=algorithm)}"


def _download(entry: Download, target: Path) -> None:
    """Download to a temporary file beside the target, verify, rename."""
    transfer = _Transfer(entry)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        pooch.retrieve(
            entry.url,
            known_hash=entry.known_hash,
            fname=target.name,
            path=target.parent,
            downloader=cast(Any, transfer),  # pooch's annotation misnames the arguments it passes
        )
    except OSError as error:
        # The HTTP client's errors are OSErrors without the errno that the system's own carry.
        if error.errno is not None:
            raise DataError(f"cannot write {target}: {error.strerror}") from error
        raise DataError(
            f"cannot download {entry.url} ({_root_cause(error)}); try again, or put the file by hand at {target}"
        ) from error
    except ValueError as error:
        raise DataError(
            f"{entry.url} sent something else than {entry.name}: expected {entry.known_hash}, "
            f"got {transfer.got}; nothing was kept; try again, or put the right file at {target}"
        ) from error


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what it was raised from, outermost first."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _root_cause(error: BaseException) -> str:
    """Say in one line what went wrong first: the HTTP client wraps it several times."""
    *_, first = _causes(error)
    return " ".join(str(first).split()) or type(first).__name__
