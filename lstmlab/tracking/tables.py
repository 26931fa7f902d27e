"""Tables on the terminal, in Markdown and in CSV."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from lstmlab.printable import escaped
from lstmlab.terminal import transliterated

Rows = Sequence[Sequence[Any]]
"""a sequence of cells per row; a cell may be anything that has a text"""

_NUMERIC = re.compile(r"[-+−]?[\d.]|[–—]?$")  # a dash or nothing stands for a missing number


def cell_text(value: Any) -> str:
    """A cell as text: floats with four digits, None as a dash, strings as they are."""
    if value is None:
        return "–"
    if isinstance(value, (float, np.floating)):
        return f"{float(value):.4g}"
    return str(value)


def print_table(title: str, columns: Sequence[str], rows: Rows, *, stream: TextIO | None = None) -> None:
    """Print a table to ``stream`` (standard output unless given).

    On a terminal it is styled, and long cells are folded to its width. Elsewhere (a file, a pipe, CI) lines are as
    long as they need to be, so that no cell is cut, and have no control codes. Control characters in names are shown
    escaped, and characters that the stream lacks in ASCII.
    Raises ``ValueError`` unless every row has one cell per column.
    """
    # Rich takes a tenth of a second to import, which programs that only read run files can save.
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    columns = [escaped(column) for column in columns]
    cells = [[escaped(cell) for cell in row] for row in _cells(columns, rows)]
    target = stream or sys.stdout
    # Text, not str: rich would read square brackets in a str as markup.
    table = Table(title=Text(escaped(title)), title_justify="left", box=box.SIMPLE_HEAD)
    for column, numeric in zip(columns, numeric_columns(columns, cells), strict=True):
        table.add_column(Text(column), justify="right" if numeric else "left", overflow="fold", no_wrap=False)
    for row in cells:
        table.add_row(*map(Text, row))
    if target.isatty():
        Console(file=target, highlight=False).print(table)
        return
    plain = io.StringIO()
    # Set here, so that FORCE_COLOR, which CI services set, puts no control codes into files.
    Console(file=plain, width=100_000, color_system=None, force_terminal=False).print(table)
    lines = "".join(line.rstrip() + "\n" for line in plain.getvalue().splitlines())
    target.write(transliterated(lines, target.encoding))
    target.flush()


def markdown_table(columns: Sequence[str], rows: Rows) -> str:
    """A GitHub Markdown table, ending in a line break; columns of numbers are aligned right."""
    cells = _cells(columns, rows)
    rule = ["---:" if numeric else "---" for numeric in numeric_columns(columns, cells)]
    lines = [[_escaped(column) for column in columns], rule]
    lines += [[_escaped(cell) for cell in row] for row in cells]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def write_csv(path: Path | str, columns: Sequence[str], rows: Rows) -> None:
    """Write a CSV file (UTF-8) with all digits of every number; None is an empty field."""
    for row in rows:
        _check_width(columns, row)
    with Path(path).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def _cells(columns: Sequence[str], rows: Rows) -> list[list[str]]:
    for row in rows:
        _check_width(columns, row)
    return [[cell_text(value) for value in row] for row in rows]


def _check_width(columns: Sequence[str], row: Sequence[Any]) -> None:
    if len(row) != len(columns):
        raise ValueError(f"a row has {len(row)} cells for {len(columns)} columns: {list(row)}")


def numeric_columns(columns: Sequence[str], cells: list[list[str]]) -> list[bool]:
    """Which columns are aligned right: those where every cell begins like a number."""
    return [bool(cells) and all(_NUMERIC.match(row[index]) for row in cells) for index in range(len(columns))]


def _escaped(cell: str) -> str:
    lines = cell.replace("\\", "\\\\").replace("|", "\\|").split("\n")
    return "<br>".join(map(escaped, lines))
