"""A comparison on the terminal and in files."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from lstmlab.printable import escaped
from lstmlab.study.compare import Comparison, compare
from lstmlab.study.formats import FORMATS, lines_of
from lstmlab.study.table import left_out_lines, table, table_over_tasks
from lstmlab.study.write import write_comparison
from lstmlab.terminal import say
from lstmlab.tracking.tables import print_table


def show_comparison(
    directories: Sequence[str | Path],
    output: Path | None = None,
    *,
    by: Sequence[str] = (),
    reference: str | None = None,
    form: str = "table",
    figures: str = "png",
) -> tuple[Comparison, list[Path]]:
    """Print the comparison of the runs below the directories, and write it to ``output`` if given.

    ``form`` is ``table`` or one of :data:`lstmlab.study.formats.FORMATS`, in which standard output has nothing else;
    ``figures`` is the kind of the figures that are written. Returns the comparison, and the files written.

    Raises ``RunError`` when there is no finished run, and as :func:`lstmlab.study.compare`.
    """
    comparison = compare(directories, by=by, reference=reference)
    written: list[Path] = []
    if output is not None:
        # Before anything is printed: nobody may be reading.
        output.mkdir(parents=True, exist_ok=True)
        written = write_comparison(comparison, output, figures)
    if form == "table":
        _print(comparison, directories)
    else:
        say(FORMATS[form](comparison).removesuffix("\n"), sys.stdout)
        if form == "csv":  # the others hold what is said about the rows
            for line in lines_of(comparison):
                say(escaped(line), sys.stderr)
    if output is not None:
        named = f"written to {output}: {', '.join(path.name for path in written)}"
        say(escaped(named), sys.stdout if form == "table" else sys.stderr)
    return comparison, written


def _print(comparison: Comparison, directories: Sequence[str | Path]) -> None:
    print_table(f"Comparison of {', '.join(map(str, directories))}", *table(comparison))
    if comparison.over_tasks:
        print_table(
            "Over all tasks: score 0 is the best baseline, 1 the reference or perfect value, -1 a failed run",
            *table_over_tasks(comparison),
        )
    for line in [*comparison.notes, *left_out_lines(comparison), *comparison.mixtures, *comparison.verdicts]:
        say(escaped(line), sys.stdout)
