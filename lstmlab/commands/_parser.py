"""Argument parsers of the commands."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        """Print the message and exit with status 2."""
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def parser_for(main: Callable) -> Parser:
    """The parser of the command whose function is ``main``: its file gives the name, its docstring the description."""
    return Parser(prog=f"lstmlab {main.__module__.rpartition('.')[2]}", description=main.__doc__)


def run_parser_for(main: Callable) -> Parser:
    """As :func:`parser_for`, with the directory of a finished run as first argument, ``run``."""
    parser = parser_for(main)
    parser.add_argument("run", type=Path, metavar="RUN_DIR", help="directory of a finished run")
    return parser
