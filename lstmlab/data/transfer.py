"""HTTP downloads that resume: what pooch does not do itself.

Until a file is complete, two files lie beside it: ``NAME.part`` has the bytes received so far, and ``NAME.part.json``
the server's name for this version of them. A later call asks for the rest of that version (``Range`` with
``If-Range``, RFC 9110, sections 13.1.5 and 14). A server that cannot send the rest, or has another version by now,
sends the whole file, and the download starts again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pooch
import requests
from filelock import FileLock

from lstmlab.data.progress import DownloadBar

TIMEOUT_SECONDS = 30
CHUNK_BYTES = 1 << 16


class ResumableDownload:
    """A downloader for :func:`pooch.retrieve`, which makes the folder, verifies the file and gives it its name.

    Attributes:
        part: the file with the bytes received so far.
        received: number of bytes received so far.
        size: number of bytes of the whole file; ``None`` if the server does not say.
        resumable: whether a later call can continue from ``part``; if not, ``part`` is removed.
    """

    def __init__(self, target: Path, known_hash: str, title: str) -> None:
        self.part = target.with_name(target.name + ".part")
        self.received, self.size, self.resumable = 0, None, False
        self._notes = target.with_name(target.name + ".part.json")
        self._known_hash, self._title = known_hash, title

    def __call__(self, url: str, output_file: str, _pooch: object) -> None:
        """Download what is missing, and move the whole file to ``output_file``.

        Raises:
            requests.RequestException: no answer, a bad one, or one that broke off.
            OSError: a file cannot be written.
        """
        output = Path(output_file)
        output.unlink()  # pooch's own temporary file, still empty: a process that is killed would leave it behind
        try:
            if not self._is_complete():
                self._receive(url)
            self.part.replace(output)
            self.resumable = False
        finally:
            if not self.resumable:
                self.part.unlink(missing_ok=True)
                self._notes.unlink(missing_ok=True)

    def _is_complete(self) -> bool:
        """An earlier process may have ended just before it moved the file."""
        return self.part.is_file() and file_hash(self.part, self._known_hash.split(":")[0]) == self._known_hash

    def _receive(self, url: str) -> None:
        version = self._version(url)
        self.received = self.part.stat().st_size if version else 0
        self.resumable = self.received > 0
        response = self._request(url, version)
        if response.status_code == 416:  # nothing follows: this version of the file is shorter than the part
            response.close()
            self.received, self.resumable = 0, False
            response = self._request(url, None)
        with response, DownloadBar(self._title) as bar:
            response.raise_for_status()
            if response.status_code == 206:
                self._continue(response.headers)
            else:
                self._start(url, response.headers)
            bar.total = self.size
            bar.update(self.received)
            with self.part.open("ab") as file:
                file.truncate(self.received)
                for chunk in response.iter_content(CHUNK_BYTES):
                    file.write(chunk)
                    file.flush()
                    self.received += len(chunk)
                    bar.update(len(chunk))

    def _request(self, url: str, version: str | None) -> requests.Response:
        # With a compressed answer, positions in the stream would not be positions in the file.
        headers = {"Accept-Encoding": "identity"}
        if self.received and version:
            headers |= {"Range": f"bytes={self.received}-", "If-Range": version}
        return requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS)

    def _continue(self, headers: Mapping[str, str]) -> None:
        """The server sends the rest: check that it begins where the part ends."""
        found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", headers.get("Content-Range", ""))
        if found is None or int(found[1]) != self.received:
            self.resumable = False
            raise requests.RequestException("the server sent another part of the file than was asked for")
        self.resumable = not _is_encoded(headers)
        self.size = int(found[2]) if found[2] != "*" and self.resumable else None

    def _start(self, url: str, headers: Mapping[str, str]) -> None:
        """The server sends the whole file: remove the old part, and note the version if a later call can use it."""
        self.part.unlink(missing_ok=True)  # first, so that the notes never name another version than the part's
        self._notes.unlink(missing_ok=True)
        length, version = headers.get("Content-Length", ""), _validator(headers)
        encoded = _is_encoded(headers)
        self.received = 0
        self.size = int(length) if length.isdecimal() and not encoded else None
        self.resumable = bool(version) and headers.get("Accept-Ranges", "").lower() == "bytes" and not encoded
        if self.resumable:
            self._notes.write_text(json.dumps({"url": url, "version": version}), encoding="utf-8")

    def _version(self, url: str) -> str | None:
        """The server's name for the version that the part belongs to; ``None`` if there is no usable part."""
        try:
            notes = json.loads(self._notes.read_text(encoding="utf-8"))
            return notes["version"] if notes["url"] == url and self.part.is_file() else None
        except (OSError, ValueError, KeyError, TypeError):
            return None


def file_hash(path: Path, algorithm: str) -> str:
    """Hash of a file's content, as ``"sha256:…"``."""
    return f"{algorithm}:{pooch.file_hash(path, algorithm)}"


def _validator(headers: Mapping[str, str]) -> str | None:
    """What ``If-Range`` accepts: a strong entity tag, or else a date."""
    tag = headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else headers.get("Last-Modified")


def _is_encoded(headers: Mapping[str, str]) -> bool:
    """Whether the bytes sent are not those of the file, so that sizes and positions are of no use."""
    return headers.get("Content-Encoding", "identity") != "identity"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other processes out while one has the lock ``path``; the last one removes the lock's file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path):
        try:
            yield
        finally:
            # Whoever waits for the removed file makes a new one. Windows only removes files that nobody has open.
            with suppress(OSError):
                path.unlink()
