"""Which character separates the cells of a CSV file."""

from __future__ import annotations

import csv
import io
import itertools
import re

DELIMITERS = ",;\t|"
_SAMPLE = 50  # records that are looked at


def split_dialect(text: str) -> tuple[str, int, str]:
    """The delimiter, how many lines are to be skipped, and the text after them.

    A first line such as ``sep=;``, which spreadsheets write, decides. Else it is the delimiter with which most rows
    have as many cells as the line of names, and of several the one with most names; quoted cells count as one.
    """
    if match := re.match(r"sep=(.)\r?\n", text):
        return match[1], 1, text[match.end() :]
    return max(DELIMITERS, key=lambda delimiter: _fit(text, delimiter)), 0, text


def _fit(text: str, delimiter: str) -> tuple[bool, float, int]:
    """Whether there are several names, the share of rows that have as many cells, and how many names there are."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        widths = [len(row) for row in itertools.islice((row for row in reader if row), _SAMPLE)]
    except csv.Error:
        return False, 0.0, 0
    if not widths:
        return False, 0.0, 0
    names, rows = widths[0], widths[1:]
    return names > 1, sum(width == names for width in rows) / max(len(rows), 1), names
