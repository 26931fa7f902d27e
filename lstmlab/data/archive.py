"""Read files from zip and tar archives (`.zip`, `.tar`, `.tar.gz`) without unpacking them.

Nothing is ever written, whatever an archive holds. One that looks made to do harm is refused all the same: with names
or links that leave its folder, with devices, or with a few bytes that unpack to as many as a disk holds.
"""

from __future__ import annotations

import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path, PurePosixPath

from lstmlab.data.download import DataError
from lstmlab.data.unpacked import Bounded, BoundedFile

_BROKEN = (OSError, EOFError, RuntimeError, NotImplementedError, ValueError, KeyError, IndexError, OverflowError,
           MemoryError, struct.error, tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError)  # fmt: skip
"""what the libraries raise over damaged files; some pass on the errors of their own code"""


def read_member(path: Path, name: str) -> bytes:
    """Return the content of one file of an archive.

    Raises:
        DataError: the archive cannot be read, is refused, or has no such file.
    """
    for _, content in read_members(path, lambda member: member == name):
        return content
    raise DataError(f"{path} holds no file {name}")


def read_members(path: Path, wanted: Callable[[str], bool] = lambda name: True) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each wanted file of an archive, in the archive's order; only one is in memory.

    For several files this is faster than :func:`read_member`, which decompresses a `.tar.gz` from its start each time.

    Raises:
        DataError: the archive cannot be read, or is refused; a name or link leaves its folder, a file is a device or is
            there twice, or the whole is far larger than the archive (:mod:`lstmlab.data.unpacked`).
    """
    seen: set[str] = set()
    with _errors(path):
        for name, content in _zip_members(path, wanted) if zipfile.is_zipfile(path) else _tar_members(path, wanted):
            if name in seen:
                raise DataError(f"{path} is refused: it holds {name} twice")
            seen.add(name)
            yield name, content


def _zip_members(path: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    size = Bounded(path)
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            _check_inside(path, entry.filename, entry.filename)
            kind = stat.S_IFMT(entry.external_attr >> 16)
            if kind == stat.S_IFLNK:  # its content is where it leads
                size.add(entry.file_size)
                _check_link(path, entry.filename, archive.read(entry).decode("utf-8", "replace"))
            elif kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise _is_device(path, entry.filename)
            elif not entry.is_dir() and wanted(entry.filename):
                size.add(entry.file_size)  # zipfile reads no more than it says
                yield entry.filename, archive.read(entry)


def _tar_members(path: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    size = Bounded(path)
    with (
        closing(BoundedFile(path)) as file,
        tarfile.open(fileobj=file, mode="r:") as archive,  # type: ignore[call-overload] - it need not be written to
    ):
        for member in archive:
            _check_inside(path, member.name, member.name)
            if member.issym():
                _check_link(path, member.name, member.linkname)
            elif member.islnk():  # to a name in the archive, not to one beside it
                _check_inside(path, member.linkname, member.name)
            elif not (member.isfile() or member.isdir()):
                raise _is_device(path, member.name)
            size.add(member.size)  # a sparse file is larger than what the stream holds of it
            if member.isfile() and wanted(_plain(member.name)):
                content = archive.extractfile(member)
                assert content is not None
                yield _plain(member.name), content.read()


def _plain(name: str) -> str:
    return name.removeprefix("./")


def _check_link(path: Path, name: str, target: str) -> None:
    _check_inside(path, target if target.startswith("/") else str(PurePosixPath(name).parent / target), name)


def _check_inside(path: Path, place: str, name: str) -> None:
    """Raise ``DataError`` where a place, that of the file ``name`` or one that it links to, is none in the folder."""
    depth = 0
    for part in place.replace("\\", "/").split("/"):
        depth += {"": 0, ".": 0, "..": -1}.get(part, 1)
        if depth < 0:
            break
    if depth < 0 or not place.removeprefix("./") or place.startswith(("/", "\\")) or place[1:3] in (":\\", ":/"):
        raise DataError(f"{path} is refused: '{name}' leads out of the archive's folder")


def _is_device(path: Path, name: str) -> DataError:
    return DataError(f"{path} is refused: '{name}' is neither a file nor a folder nor a link")


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    try:
        yield
    except DataError:
        raise
    except _BROKEN as error:
        raise DataError(f"{path} is not a whole zip or tar archive: {' '.join(str(error).split())}") from error
