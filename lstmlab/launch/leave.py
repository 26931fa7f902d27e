"""How code that Hydra calls ends the command with one line."""

from __future__ import annotations

import sys
from typing import NoReturn

from lstmlab.printable import escaped
from lstmlab.training.distributed import shown_by_main_process


def leave(error: Exception, line: str | None = None) -> NoReturn:
    """Print the error, or ``line`` in its place, and end the command with exit status 1.

    Hydra would print a traceback and advice of its own for an ``Exception``, and only a warning where a callback raises
    it. Of several processes the main one prints.
    """
    if not shown_by_main_process(error):
        print(escaped(f"lstmlab: {line or error}"), file=sys.stderr)
    raise SystemExit(1) from None
