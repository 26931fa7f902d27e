"""Options that a cell declares beside its equations: default, meaning, allowed values.

A cell writes ``reset: str = option("after", "where the reset gate acts", choices=("after", "before"))`` in its
class body. That one line gives the constructor argument, the Hydra key ``cell.reset`` with its type, the help text
and the error message.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Sequence
from typing import Any


@dataclasses.dataclass(frozen=True)
class Option:
    """One declared option; ``choices`` empty means any value of the default's type."""

    default: Any
    help: str
    choices: tuple[Any, ...] = ()
    minimum: float | None = None

    def checked(self, owner: str, name: str, value: Any) -> Any:
        """Return ``value`` in the default's type, or raise a one-line ``ValueError``."""
        kind = type(self.default)
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        allowed = ", ".join(str(choice) for choice in self.choices)
        if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
            known = f", one of: {allowed}" if self.choices else ""
            raise ValueError(f"{owner}: {name} is {value!r}, but must be of type {kind.__name__}{known}")
        if self.choices and value not in self.choices:
            raise ValueError(f"{owner}: {name} is {value!r}, but must be one of: {allowed}")
        if self.minimum is not None and value < self.minimum:
            raise ValueError(f"{owner}: {name} is {value}, but must be at least {self.minimum:g}")
        return value


def option(default: Any, help: str, *, choices: Sequence[Any] = (), minimum: float | None = None) -> Any:
    """Declare an option of a cell in its class body."""
    return Option(default, help, tuple(choices), minimum)


def suggest(name: str, known: Sequence[str]) -> str:
    """``"; did you mean 'lstm'?"`` when a known name is close to ``name``, else nothing."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else ""
