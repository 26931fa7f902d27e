"""HTTP transfers that go on where they broke off.

Beside the file that is wanted lie, until it is whole and verified, ``NAME.part`` with the bytes so far and
``NAME.part.json`` with what the server calls this version of them. A later call asks for the rest of that version
(``Range`` with ``If-Range``, RFC 9110, sections 13.1.5 and 14); a server that cannot, or has another version by now,
sends everything, and the transfer starts afresh.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import requests
from filelock import FileLock

from lstmlab.data.progress import DownloadBar

TIMEOUT_SECONDS = 30
CHUNK_BYTES = 1 << 16


class WrongContent(ValueError):
    """All has come, but it is not what was expected; ``args[0]`` is the hash that it has."""


class Transfer:
    """One file on its way from an address to its place.

    Attributes:
        received: bytes that are there.
        size: bytes of the whole file; ``None`` while, or where, the server does not say.
        continues: whether a later call can go on from the bytes that are there.
    """

    def __init__(self, url: str, target: Path) -> None:
        self.url, self.target = url, target
        self.part = target.with_name(target.name + ".part")
        self._notes = target.with_name(target.name + ".part.json")
        self.received, self.size, self.continues = 0, None, False

    def run(self, known_hash: str, title: str) -> None:
        """Fetch what is missing, verify it, and give the file its name; nothing else ever has that name.

        Processes that want the same file wait for the first one, and find it there. Bytes that a later call cannot use
        are removed, however the call ends.

        Raises:
            WrongContent: the hash is wrong; nothing is kept.
            requests.RequestException: no answer, a bad one, or one that broke off.
            OSError: with an ``errno``, of the file system.
        """
        self.target.parent.mkdir(parents=True, exist_ok=True)
        with _alone(self.target.with_name(self.target.name + ".part.lock")):
            if _has(self.target, known_hash):
                return
            try:
                # An earlier call may have been ended between the last byte and the file's name.
                if not _has(self.part, known_hash):
                    self._receive(title)
                got = file_hash(self.part, known_hash.split(":")[0])
                if got != known_hash:
                    self.continues = False
                    raise WrongContent(got)
                self.part.replace(self.target)
                self.continues = False  # the notes have no use any more
            finally:
                if not self.continues:
                    self._forget()

    def _receive(self, title: str) -> None:
        version = self._version()
        self.received = self.part.stat().st_size if version else 0
        self.continues = self.received > 0
        response = self._ask(version)
        if response.status_code == 416:  # there is no rest: the version has become a shorter one
            response.close()
            self.received, self.continues = 0, False
            response = self._ask(None)
        with response, DownloadBar(title) as bar:
            response.raise_for_status()
            self._begin(response)
            bar.total = self.size
            bar.update(self.received)
            with self.part.open("ab") as file:
                file.truncate(self.received)
                for chunk in response.iter_content(CHUNK_BYTES):
                    file.write(chunk)
                    file.flush()
                    self.received += len(chunk)
                    bar.update(len(chunk))

    def _ask(self, version: str | None) -> requests.Response:
        # Compressed on the way, the bytes would have other places than in the file.
        headers = {"Accept-Encoding": "identity"}
        if self.received and version:
            headers |= {"Range": f"bytes={self.received}-", "If-Range": version}
        return requests.get(self.url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS)

    def _begin(self, response: requests.Response) -> None:
        """Learn where the bytes that come belong, how many there are, and whether a later call may ask for the rest."""
        headers, partial = response.headers, response.status_code == 206
        if partial:
            found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", headers.get("Content-Range", ""))
            if found is None or int(found[1]) != self.received:
                self.continues = False
                raise requests.RequestException("the server sent another part of the file than was asked for")
            self.size = None if found[2] == "*" else int(found[2])
        else:
            self.part.unlink(missing_ok=True)  # before the notes name another version than that of its bytes
            self.received, length = 0, headers.get("Content-Length", "")
            self.size = int(length) if length.isdecimal() else None
        version = _validator(headers)
        if headers.get("Content-Encoding", "identity") != "identity":  # sizes and places are not those of the file
            self.continues, self.size, version = False, None, None
        elif partial or (version and headers.get("Accept-Ranges", "").lower() == "bytes"):
            self.continues = True
        else:
            self.continues, version = False, None
        if version and not partial:
            self._notes.write_text(json.dumps({"url": self.url, "version": version}))
        elif not partial:
            self._notes.unlink(missing_ok=True)

    def _version(self) -> str | None:
        """What the server called the version whose bytes are there; ``None`` where they are of no use."""
        try:
            notes = json.loads(self._notes.read_text())
            return notes["version"] if notes["url"] == self.url and self.part.is_file() else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _forget(self) -> None:
        self.part.unlink(missing_ok=True)
        self._notes.unlink(missing_ok=True)


def file_hash(path: Path, algorithm: str) -> str:
    """``"sha256:…"`` of a file's content."""
    with path.open("rb") as file:
        return f"{algorithm}:{hashlib.file_digest(file, algorithm).hexdigest()}"


def _has(path: Path, known_hash: str) -> bool:
    return path.is_file() and file_hash(path, known_hash.split(":")[0]) == known_hash


def _validator(headers: Any) -> str | None:
    """What may stand in ``If-Range``: a strong entity tag, or else a date."""
    tag = headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else headers.get("Last-Modified")


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """No other process is inside with the same path; the lock's file goes with the last one."""
    with FileLock(path):
        try:
            yield
        finally:
            # Who waits for a file that is gone makes a new one. Windows removes only what nobody has open.
            with suppress(OSError):
                path.unlink()
