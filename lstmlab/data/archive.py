"""Read files from zip and tar archives (`.zip`, `.tar`, `.tar.gz`) without unpacking them."""

from __future__ import annotations

import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lstmlab.data.download import DataError

_BROKEN = (OSError, EOFError, RuntimeError, NotImplementedError, tarfile.TarError, zipfile.BadZipFile, zlib.error,
           lzma.LZMAError)  # fmt: skip


def read_member(path: Path, name: str) -> bytes:
    """Return the content of one file of an archive.

    Raises:
        DataError: the archive cannot be read, or has no such file.
    """
    for _, content in read_members(path, lambda member: member == name):
        return content
    raise DataError(f"{path} holds no file {name}")


def read_members(path: Path, wanted: Callable[[str], bool] = lambda name: True) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each wanted file of an archive, in the archive's order; only one is in memory.

    For several files this is faster than :func:`read_member`, which decompresses a `.tar.gz` from its start each time.

    Raises:
        DataError: the archive cannot be read.
    """
    with _errors(path):
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                for entry in archive.infolist():
                    if not entry.is_dir() and wanted(entry.filename):
                        yield entry.filename, archive.read(entry)
            return
        with tarfile.open(path) as archive:
            for member in archive:
                if member.isfile() and wanted(_plain(member.name)):
                    content = archive.extractfile(member)
                    assert content is not None
                    yield _plain(member.name), content.read()


def _plain(name: str) -> str:
    return name.removeprefix("./")


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    try:
        yield
    except _BROKEN as error:
        raise DataError(f"{path} is not a whole zip or tar archive: {' '.join(str(error).split())}") from error
