"""Argument parsers of the commands."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from lstmlab.printable import shown


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        """Print the message and exit with status 2."""
        self.exit(2, f"{self.prog}: {shown(message, 500)} (see {self.prog} --help)\n")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse, with ``~`` expanded in paths: shells leave it in ``--output=~/results``."""
        chosen, rest = super().parse_known_args(args, namespace)
        for name, value in vars(chosen).items():
            setattr(chosen, name, [_home(each) for each in value] if isinstance(value, list) else _home(value))
        return chosen, rest


def _home(value: Any) -> Any:
    with contextlib.suppress(RuntimeError):  # the home of a user who does not exist: a file may be called that
        return value.expanduser() if isinstance(value, Path) else value
    return value


def parser_for(main: Callable) -> Parser:
    """The parser of the command whose function is ``main``: its file gives the name, its docstring the description."""
    name = main.__module__.rpartition(".")[2].replace("_", "-")
    return Parser(prog=f"lstmlab {name}", description=main.__doc__)


def run_parser_for(main: Callable) -> Parser:
    """As :func:`parser_for`, with the directory of a finished run as first argument, ``run``."""
    parser = parser_for(main)
    parser.add_argument("run", type=Path, metavar="RUN_DIR", help="directory of a finished run")
    return parser


def without_dashes(argument: str, flags: Sequence[str]) -> str:
    """``--key=value``, as ``wandb agent`` writes an override, as ``key=value``; flags of the program stay."""
    name, equals, _ = argument.partition("=")
    if not equals or not name.startswith("--") or any(flag.startswith(name) for flag in flags):
        return argument
    return argument[2:]
