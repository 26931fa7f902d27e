"""``lstmlab importance``: which hyperparameters matter among finished runs."""

from __future__ import annotations

from pathlib import Path

from lstmlab.commands._parser import parser_for


def main(arguments: list[str]) -> None:
    """Show which hyperparameters matter among the runs below the given directories, by functional ANOVA."""
    parser = parser_for(main)
    parser.add_argument("directories", nargs="+", type=Path, metavar="DIR", help="directories of runs or sweeps")
    parser.add_argument("--cell", help="use runs of this cell only (default: all; the cell is then a key too)")
    parser.add_argument("--task", help="use runs of this task only (needed where there are several)")
    parser.add_argument("--output", type=Path, help="also write tables and plots to this directory")
    chosen = parser.parse_args(arguments)
    from lstmlab.printable import escaped
    from lstmlab.study.importance import importance
    from lstmlab.study.write_importance import COLUMNS, notes, table_rows, write_importance
    from lstmlab.tracking.tables import print_table

    result = importance(chosen.directories, cell=chosen.cell, task=chosen.task)
    cells = ", ".join(result.cells)
    title = f"What matters for the validation {result.metric} of {cells} on {result.task}"
    print_table(title, COLUMNS, table_rows(result))
    for line in notes(result):
        print(escaped(line))
    if chosen.output is not None:
        chosen.output.mkdir(parents=True, exist_ok=True)
        written = write_importance(result, chosen.output)
        print(f"written to {chosen.output}: {', '.join(path.name for path in written)}")
