"""``lstmlab config``: every key of the configuration."""

from __future__ import annotations

from lstmlab.commands._parser import parser_for, without_dashes


def main(arguments: list[str]) -> None:
    """Show every configuration key with its value under the given overrides, its meaning and its range."""
    parser = parser_for(main)
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="overrides, as for training")
    chosen = parser.parse_args([without_dashes(text, ["--help"]) for text in arguments])
    from lstmlab.config import compose
    from lstmlab.config.describe import describe
    from lstmlab.tracking.tables import print_table

    columns = ("key", "value", "meaning", "allowed", "traced")
    print_table("Configuration", columns, describe(compose(chosen.overrides)))
    print("Runs that differ in traced keys alone share one compiled program.")
