"""What is inside zip and tar archives (`.zip`, `.tar`, `.tar.gz`), read without unpacking, or unpacked safely."""

from __future__ import annotations

import lzma
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from lstmlab.data.download import DataError

_BROKEN = (OSError, EOFError, RuntimeError, NotImplementedError, tarfile.TarError, zipfile.BadZipFile, zlib.error,
           lzma.LZMAError)  # fmt: skip


def read_member(path: Path, name: str) -> bytes:
    """Content of one file of an archive.

    Raises:
        DataError: the archive cannot be read, or holds no such file.
    """
    for _, content in read_members(path, lambda member: member == name):
        return content
    raise DataError(f"{path} holds no file {name}")


def read_members(path: Path, wanted: Callable[[str], bool] = lambda name: True) -> Iterator[tuple[str, bytes]]:
    """Names and contents of an archive's files in their order, those that are wanted; one at a time in memory.

    Reading on is faster than :func:`read_member` again and again: a `.tar.gz` has to be decompressed from its start.

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


def unpack(path: Path, directory: Path) -> Path:
    """Unpack an archive into a directory of that name, which holds all of it or does not exist; return it.

    A directory that is there is taken as unpacked before. Links and names that lead out of it are refused.

    Raises:
        DataError: the archive cannot be read, is not safe, or the directory cannot be written.
    """
    if directory.is_dir():
        return directory
    with _errors(path):
        try:
            directory.parent.mkdir(parents=True, exist_ok=True)
            beside = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
        except OSError as error:
            raise DataError(f"cannot write {directory}: {error.strerror}") from error
        try:
            _unpack_all(path, beside)
            beside.chmod(0o755)
            try:
                beside.rename(directory)
            except OSError as error:
                # Another process may have been as quick.
                if not directory.is_dir():
                    raise DataError(f"cannot write {directory}: {error.strerror}") from error
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    return directory


def _unpack_all(path: Path, directory: Path) -> None:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                parts = PurePosixPath(name.replace("\\", "/"))
                if parts.is_absolute() or ".." in parts.parts:
                    raise DataError(f"{path} is not safe to unpack: it holds {name}, which leads out of its folder")
            archive.extractall(directory)
        return
    with tarfile.open(path) as archive:
        try:
            archive.extractall(directory, filter="data")
        except tarfile.FilterError as error:
            raise DataError(f"{path} is not safe to unpack: {error}") from error


def _plain(name: str) -> str:
    return name.removeprefix("./")


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    try:
        yield
    except DataError:
        raise
    except _BROKEN as error:
        raise DataError(f"{path} is not a whole zip or tar archive: {' '.join(str(error).split())}") from error
