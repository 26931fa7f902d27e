"""A comparison on the terminal and in files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lstmlab.study.compare import COLUMNS, compare, find_runs, write_comparison
from lstmlab.tracking.tables import print_table


def show_comparison(directories: Sequence[Path], output: Path | None = None) -> None:
    """Print the comparison of the runs below the directories; write it to ``output`` if given.

    Raises ``RunError`` when there is no finished run.
    """
    comparison = compare(directories)
    print_table(f"Comparison of {', '.join(map(str, directories))}", COLUMNS, comparison.cells())
    for line in comparison.failed:
        print(f"left out: {line}")
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        written = write_comparison(comparison, output, find_runs(directories))
        print(f"written to {output}: {', '.join(path.name for path in written)}")
