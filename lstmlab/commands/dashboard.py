"""``lstmlab dashboard``: a live page over runs while they run."""

from __future__ import annotations

import contextlib
import importlib.util
from pathlib import Path

from lstmlab.commands._parser import parser_for
from lstmlab.tracking.files import RunError

_DEFAULT = ("outputs", "multirun")


def main(arguments: list[str]) -> None:
    """Show the runs at or below the given directories in the browser, live, until Ctrl-C. It reads their files only,
    and serves this computer only.
    """
    parser = parser_for(main)
    parser.add_argument(
        "directories", nargs="*", type=Path, metavar="DIR",
        help="directories of runs or sweeps (default: outputs and multirun, where they exist)",
    )  # fmt: skip
    parser.add_argument("--port", type=_port, help="port to listen on (default: the first free one from 8050)")
    parser.add_argument("--no-browser", action="store_true", help="print the address only, open no browser")
    chosen = parser.parse_args(arguments)
    directories = _directories(chosen.directories)
    if importlib.util.find_spec("dash") is None:
        raise RunError("the dashboard needs Dash: pip install 'lstmlab[dashboard]'")
    with contextlib.suppress(KeyboardInterrupt):
        from lstmlab.dashboard.server import serve

        serve(directories, chosen.port, browser=not chosen.no_browser)


def _directories(given: list[Path]) -> list[Path]:
    directories = given or [path for path in map(Path, _DEFAULT) if path.is_dir()]
    for directory in directories:
        if not directory.is_dir():
            raise RunError(f"{directory} is not a directory")
    if not directories:
        raise RunError("there is neither outputs nor multirun here: name the directories of your runs")
    return directories


def _port(text: str) -> int:
    port = int(text)
    if not 1 <= port <= 65535:
        raise ValueError
    return port


_port.__name__ = "port from 1 to 65535"  # argparse: invalid port from 1 to 65535 value: '0'
