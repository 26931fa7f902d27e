"""``lstmlab report``: one HTML file about finished runs."""

from __future__ import annotations

from pathlib import Path

from lstmlab.commands._parser import parser_for


def main(arguments: list[str]) -> None:
    """Write one HTML file on all runs below the given directories, with interactive figures, that needs no network."""
    parser = parser_for(main)
    parser.add_argument("directories", nargs="+", type=Path, metavar="DIR", help="directories of runs or sweeps")
    parser.add_argument(
        "--output", type=Path, default=Path("report.html"), metavar="FILE.html", help="default: report.html"
    )
    parser.add_argument("--title", help="heading of the report (default: the cells that it compares)")
    parser.add_argument(
        "--by", action="append", default=[], metavar="KEY",
        help="one row per value of this key too, as model.hidden_size; may be given several times",
    )  # fmt: skip
    parser.add_argument(
        "--reference", metavar="CELL", help="cell that the others are compared with (default: lstm, if there)"
    )
    chosen = parser.parse_args(arguments)
    from lstmlab.printable import escaped
    from lstmlab.report.write import write_report

    path = write_report(chosen.directories, chosen.output, by=chosen.by, reference=chosen.reference, title=chosen.title)
    print(escaped(f"written to {path}: {path.stat().st_size / 1e6:.1f} MB, opens in any browser, also without network"))
