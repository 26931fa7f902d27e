"""Decompressed bytes, with a bound: a few bytes can be made to unpack to as many as a disk holds."""

from __future__ import annotations

import bz2
import gzip
import lzma
from pathlib import Path

from lstmlab.data.download import DataError

MOST_TIMES = 200
"""how many times larger than the file its content may be; text is compressed to a tenth"""
ALLOWED = 256 * 2**20
"""bytes that any file may unpack to"""
_OPENERS = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}


class Bounded:
    """Counts the bytes that are unpacked from a file."""

    def __init__(self, path: Path) -> None:
        self.path, self.count = path, 0
        self.most = max(ALLOWED, MOST_TIMES * path.stat().st_size)

    def add(self, more: int) -> None:
        """Raise ``DataError`` where more is unpacked than a file of its size plausibly holds."""
        self.count += more
        self.check(self.count)

    def check(self, count: int) -> None:
        """As :meth:`add`, of the bytes from the start."""
        if count > self.most:
            raise DataError(
                f"{self.path} is refused: it unpacks to more than {self.most / 2**20:.0f} MiB, which is out of "
                "proportion to its size"
            )


class BoundedFile:
    """A file, decompressed where it is compressed, that can be read and sought as far as :class:`Bounded` allows."""

    def __init__(self, path: Path) -> None:
        self._bound = Bounded(path)
        with path.open("rb") as file:
            start = file.read(6)
        opener = next((opener for mark, opener in _OPENERS.items() if start.startswith(mark)), open)
        self._file = opener(path, "rb")

    def read(self, size: int = -1) -> bytes:
        """The next bytes; all that are left where ``size`` is negative."""
        if size < 0:
            size = self._bound.most - self.tell() + 1
        content = self._file.read(min(size, self._bound.most - self.tell() + 1))
        self._bound.check(self.tell())
        return content

    def seek(self, place: int) -> int:
        """Go to a byte."""
        self._bound.check(place)
        return self._file.seek(place)

    def tell(self) -> int:
        """The number of bytes before."""
        return self._file.tell()

    def close(self) -> None:
        """Close it."""
        self._file.close()
