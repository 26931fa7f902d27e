"""Command-line arguments: errors in one line, and the checks that several commands share."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NoReturn


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        """Leave with status 2."""
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def parser(command: str, description: str) -> Parser:
    """The parser of ``lstmlab COMMAND``."""
    return Parser(prog=f"lstmlab {command}", description=description)


def run_parser(command: str, description: str) -> Parser:
    """The parser of a command that uses a finished run, whose directory is ``run``."""
    made = parser(command, description)
    made.add_argument("run", type=Path, metavar="RUN_DIR", help="directory of a finished run")
    return made
