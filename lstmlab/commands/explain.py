"""``lstmlab explain``: why a cell does what it does."""

from __future__ import annotations

from pathlib import Path

from lstmlab.commands._parser import parser_for
from lstmlab.tracking.wandb_settings import MODES


def main(arguments: list[str]) -> None:
    """Say why runs end as they do: gradients over time, gates, memory, dynamics and generalisation of their models."""
    parser = parser_for(main)
    parser.add_argument("directories", nargs="+", type=Path, metavar="DIR", help="directories of runs or sweeps")
    parser.add_argument(
        "--only", default="", metavar="NAME,...",
        help="make these diagnostics only: gradients, gates, memory, dynamics, generalisation (default: all)",
    )  # fmt: skip
    parser.add_argument(
        "--output", type=Path, help="write to a directory for each run in this one (default: explain/ in each run)"
    )
    parser.add_argument(
        "--format", default="png", choices=("png", "svg", "pdf"), help="kind of the figures (default: png)"
    )
    parser.add_argument(
        "--wandb", choices=MODES, help="whether findings also become panels of W&B (default: as the run itself)"
    )
    chosen = parser.parse_args(arguments)
    from lstmlab.explain.command import explain_directories

    names = [name.strip() for name in chosen.only.split(",") if name.strip()]
    explain_directories(chosen.directories, names, chosen.output, chosen.format, chosen.wandb)
