"""Standard output and standard error as they come: closed, broken, or in an encoding with few characters."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import sys
import unicodedata
from collections.abc import Iterator
from typing import TextIO

ERRORS = "lstmlab.transliterate"
_PLAIN = {
    "→": "->", "←": "<-", "·": "-", "–": "-", "—": "-", "−": "-", "×": "x", "±": "+-", "≥": ">=", "≤": "<=", "≈": "~",
    "√": "sqrt", "∞": "inf", "…": "...", "•": "*",
    **dict.fromkeys("─━╌╍═╴╶╸╺", "-"), **dict.fromkeys("│┃║", "|"),
}  # fmt: skip


def transliterated(text: str, encoding: str | None) -> str:
    """The text with what ``encoding`` lacks written in ASCII: ``→`` as ``->``, ``é`` as ``e``, and ``?`` otherwise."""
    return text.encode(encoding or "utf-8", ERRORS).decode(encoding or "utf-8")


def say(text: str, stream: TextIO) -> None:
    """Print one line at once, in the characters that the stream has."""
    print(transliterated(text, getattr(stream, "encoding", None)), file=stream, flush=True)


@contextlib.contextmanager
def usable_streams() -> Iterator[None]:
    """Within the block, printing to standard output and error fails neither where they are closed nor for a character.

    What a command has printed is flushed at the end, so that an error of the last write can still be told.
    """
    _open_closed()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ERRORS)
    try:
        yield
        sys.stdout.flush()
    finally:
        _give_up_broken()


def _open_closed() -> None:
    """Put the null device where a stream is closed, as daemons and cron jobs close them.

    Otherwise the next file that is opened, such as one of results, would get the stream's number, and messages of
    libraries would go into it.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is not None:
            continue
        with contextlib.suppress(OSError):
            os.fstat(number)
            continue
        null = os.open(os.devnull, os.O_RDWR)
        if null != number:
            os.dup2(null, number)
            os.close(null)
        os.set_inheritable(number, True)
        setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def _give_up_broken() -> None:
    """Let go of a standard output that takes no more, or Python would report that once more when it ends."""
    try:
        sys.stdout.flush()
    except OSError:
        with contextlib.suppress(OSError, io.UnsupportedOperation):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, sys.stdout.fileno())
            os.close(null)


def _transliterate(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_plain, error.object[error.start : error.end])), error.end


def _plain(character: str) -> str:
    decomposed = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return _PLAIN.get(character) or decomposed or "?"


codecs.register_error(ERRORS, _transliterate)
