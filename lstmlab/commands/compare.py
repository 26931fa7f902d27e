"""``lstmlab compare``: a table of finished runs."""

from __future__ import annotations

from pathlib import Path

from lstmlab.commands._parser import parser_for


def main(arguments: list[str]) -> None:
    """Compare all finished runs below the given directories: one row per task and cell."""
    parser = parser_for(main)
    parser.add_argument("directories", nargs="+", type=Path, metavar="DIR", help="directories of runs or sweeps")
    parser.add_argument("--output", type=Path, help="also write tables and plots to this directory")
    parser.add_argument(
        "--by", action="append", default=[], metavar="KEY",
        help="one row per value of this key too, as model.hidden_size; may be given several times",
    )  # fmt: skip
    parser.add_argument(
        "--reference", metavar="CELL", help="cell that the others are compared with (default: lstm, if there)"
    )
    parser.add_argument(
        "--format", choices=("table", "csv", "json", "markdown", "latex"), default="table",
        help="what is printed (latex: a table for the package booktabs; default: table)",
    )  # fmt: skip
    parser.add_argument(
        "--figures", choices=("png", "svg", "pdf"),
        help="kind of the figures in --output: svg and pdf are as wide as a column of a paper (default: png)",
    )  # fmt: skip
    chosen = parser.parse_args(arguments)
    if chosen.figures and chosen.output is None:
        parser.error("--figures needs --output DIR, where the figures are written")
    from lstmlab.study.show import show_comparison

    show_comparison(
        chosen.directories, chosen.output, by=chosen.by, reference=chosen.reference, form=chosen.format,
        figures=chosen.figures or "png",
    )  # fmt: skip
