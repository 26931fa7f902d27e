"""Numbers and times as the page writes them."""

from __future__ import annotations

import math
from typing import Any

from lstmlab.tracking.progress import duration


def aria(**attributes: str) -> Any:
    """Attributes for assistive software, such as ``aria-label``, as keywords of a component."""
    return {f"aria-{name}": value for name, value in attributes.items()}


def number(value: object) -> str:
    """A number with four digits; a dash for what is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "–"
    if isinstance(value, int):
        return str(value)
    return f"{value:.4g}" if math.isfinite(value) else str(value)


def time_left(seconds: float | None, *, early: bool) -> str:
    """A time span; one after which a run may have stopped before is marked with ``≤``."""
    if seconds is None:
        return "–"
    return f"{'≤ ' if early else ''}{duration(seconds)}"
