"""Data sets that are downloaded: where they are stored and how they are verified.

`fetch` returns the path of a verified file. A file that is already there is never downloaded again, so a data directory
that was filled by hand serves a machine without a network.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from lstmlab.data.registry import REGISTRY, Download
from lstmlab.printable import escaped

if TYPE_CHECKING:
    from lstmlab.data.transfer import ResumableDownload

# `lstmlab.data.transfer` is imported where it is used: it brings pooch and requests, and `lstmlab cells` or `lstmlab
# --help` should not wait for these.

DATA_DIR_VARIABLE = "LSTMLAB_DATA_DIR"


class DataError(RuntimeError):
    """Data is missing or wrong. The message is one line that says what to do; show it as it is.

    What it quotes from a file may be anything: characters that are not printable are escaped.
    """

    def __init__(self, message: str) -> None:
        super().__init__(escaped(message))


def data_directory(data_dir: str | os.PathLike[str] | None = None) -> Path:
    """Return the directory of downloads.

    The argument comes first, then the environment variable `LSTMLAB_DATA_DIR`, then the user's cache folder
    (`~/.cache/lstmlab` on Linux).
    """
    chosen = data_dir or os.environ.get(DATA_DIR_VARIABLE) or platformdirs.user_cache_dir("lstmlab")
    return Path(chosen).expanduser()


def fetch(
    download: str | Download,
    data_dir: str | os.PathLike[str] | None = None,
    *,
    offline: bool = False,
) -> Path:
    """Return the path of a file with the right hash, downloading it if it is not there.

    A download gets its name once its hash is verified. If it breaks off, its bytes stay in `NAME.part`, provided that
    the server can send the rest: the next call continues from there. If several processes want the same file, one
    downloads it and the others wait.

    Args:
        download: a name in `REGISTRY`, or an entry of your own.
        data_dir: directory of downloads; None as in `data_directory`.
        offline: never use the network.

    Raises:
        DataError: unknown name, a file or a download with the wrong hash, a directory that cannot
            be written, no answer from the server, or a missing file when `offline`.
    """
    entry = REGISTRY.get(download) if isinstance(download, str) else download
    if entry is None:
        raise DataError(f"no download is called {download!r}; there are: {', '.join(REGISTRY)}")
    directory = data_directory(data_dir)
    path = _find(entry, directory)
    if path:
        return path
    if offline:
        raise DataError(f"offline, and {entry.name} is not there: put {entry.url} at {directory / entry.filename}")
    return _download(entry, directory)


def _find(entry: Download, directory: Path) -> Path | None:
    """Return the first file with the right hash; a wrong one is an error if there is no right one."""
    from lstmlab.data.transfer import file_hash

    wrong: list[str] = []
    for path in (directory / name for name in (entry.filename, *entry.also)):
        if not path.is_file():
            continue
        ours = path.is_relative_to(directory)  # a wrong file of another program is no error
        try:
            got = file_hash(path, entry.algorithm)
        except OSError as error:
            if not ours:
                continue
            raise DataError(f"cannot read {path}: {error.strerror}") from error
        if got == entry.known_hash or _has_content(path, entry.content_hash):
            return path
        if ours:
            wrong.append(
                f"{path} is not the {entry.name} file it should be: expected {entry.known_hash}, "
                f"got {got}; remove it, or give another data directory"
            )
    if wrong:
        raise DataError(wrong[0])
    return None


def _has_content(path: Path, content_hash: str | None) -> bool:
    """Whether a gzip-compressed file has this content, whatever its compression level."""
    if content_hash is None:
        return False
    algorithm = content_hash.split(":")[0]
    try:
        with gzip.open(path) as file:
            return f"{algorithm}:{hashlib.file_digest(file, algorithm).hexdigest()}" == content_hash  # type: ignore[arg-type]
    except (OSError, EOFError, zlib.error):
        return False


def _download(entry: Download, directory: Path) -> Path:
    """Download a file with pooch, which verifies it before it gets its name."""
    import pooch
    import requests

    from lstmlab.data.transfer import ResumableDownload, locked

    target = directory / entry.filename
    download = ResumableDownload(target, entry.known_hash, entry.name)
    pooch.get_logger().setLevel("WARNING")  # the progress bar already says what is downloaded
    try:
        with locked(target.with_name(target.name + ".part.lock")):
            pooch.retrieve(entry.url, entry.known_hash, target.name, target.parent, downloader=download)  # type: ignore[arg-type]
    except requests.RequestException as error:
        raise DataError(
            f"cannot download {entry.url} ({_root_cause(error)}); {_what_now(download)}, "
            f"or put the file by hand at {target}"
        ) from error
    except OSError as error:
        raise DataError(f"cannot write {target}: {error.strerror or error}") from error
    except ValueError as error:  # pooch's way to say that the hash is wrong, with both hashes
        raise DataError(
            f"{entry.url} sent something else than {entry.name}; try again, or put the right file at {target} ({error})"
        ) from error
    return target


def _what_now(download: ResumableDownload) -> str:
    if not download.resumable:
        return "try again"
    size = "" if download.size is None else f" of {download.size}"
    return f"{download.received}{size} bytes are there, in {download.part}, and the same command goes on from them"


def _root_cause(error: BaseException) -> str:
    """The error that came first, in one line: requests and urllib3 wrap it several times."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    return " ".join(str(error).split()) or type(error).__name__
