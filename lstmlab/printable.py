"""Texts of users inside messages and tables: on one line, without control characters, and not too long."""

from __future__ import annotations

_KEPT = "\u00a0\u2009\u200c\u200d\u202f"
"""spaces and joiners of ordinary writing, which Python does not count as printable"""


def escaped(text: str) -> str:
    r"""The text with what is not printable as Python writes it: ``\n``, ``\x1b``.

    A line break would end a message of one line, and an escape sequence would change the terminal. Parts of undecodable
    file names (surrogates) are escaped too: no stream can encode them.
    """
    return "".join(c if c.isprintable() or c in _KEPT else repr(c)[1:-1] for c in text)


def shown(text: str, limit: int = 80) -> str:
    """The text :func:`escaped`, with its middle left out where it is longer than ``limit`` characters."""
    text = escaped(text)
    if len(text) <= limit:
        return text
    tail = limit // 4
    return f"{text[: limit - tail - 1]}…{text[-tail:]}"
