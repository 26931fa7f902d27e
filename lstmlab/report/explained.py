"""The diagnostics that ``lstmlab explain`` has written beside a run: ``explain/explain.json`` (docs/explain.md)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FILE = Path("explain") / "explain.json"
_VERSION = 1
_MOST_BYTES = 16 << 20
# Of several series the one that says most; else the first.
_MAIN = ("typical", "mean", "share", "probe", "output")


class NotExplained(Exception):
    """A file of diagnostics that cannot be read; the message is one line that names it."""


@dataclass(frozen=True)
class Finding:
    """One quantity of one layer, of the newest model in the file."""

    diagnostic: str
    name: str
    title: str
    layer: int
    axis: str
    log_axis: bool
    xs: list[Any]
    """along the axis: numbers, or names"""
    unit: str
    log: bool
    series: Mapping[str, list[float]]
    """numbers along the axis by name; NaN where one is not finite"""
    notes: list[str]
    marks: Mapping[str, float] = field(default_factory=dict)
    """places on the axis that matter, by name"""

    @property
    def key(self) -> tuple[str, str, int]:
        """What findings of different runs have in common."""
        return self.diagnostic, self.name, self.layer

    @property
    def main(self) -> str:
        """The name of the series that is laid beside those of other runs."""
        return next((name for name in _MAIN if name in self.series), next(iter(self.series)))


def findings_of(directory: Path) -> list[Finding]:
    """The findings on the best model of a run (or else the last checkpoint); none where there is no file.

    Raises ``NotExplained`` for a file of another version, or that is not of this form.
    """
    path = directory / FILE
    if not path.is_file():
        return []
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise NotExplained(f"{path} has more than {_MOST_BYTES >> 20} MiB")
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["version"] != _VERSION:
            raise NotExplained(f"{path} has version {content['version']!r}, and this report reads version {_VERSION}")
        found = [each for each in content["findings"] if each["series"] and each["axis"]["values"]]
        newest = "best" if any(each["checkpoint"] == "best" for each in found) else None
        last = max((each["step"] for each in found), default=0)
        return [
            _finding(each) for each in found if each["checkpoint"] == newest or (not newest and each["step"] == last)
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise NotExplained(f"{path} is not what lstmlab explain writes") from None


def _finding(raw: Mapping[str, Any]) -> Finding:
    axis, xs = raw["axis"], list(raw["axis"]["values"])
    series = {str(name): [_number(value) for value in values] for name, values in raw["series"].items()}
    if any(len(values) != len(xs) for values in series.values()):
        raise ValueError("a series has another length than its axis")
    unit = f" ({axis['unit']})" if axis.get("unit") else ""
    return Finding(
        str(raw["diagnostic"]), str(raw["name"]), str(raw["title"]), int(raw.get("layer") or 0),
        f"{axis['name']}{unit}", axis.get("scale") == "log", xs, str(raw.get("unit") or ""), raw.get("scale") == "log",
        series, [str(note) for note in raw.get("notes") or []],
        {str(name): float(at) for name, at in (axis.get("marks") or {}).items()},
    )  # fmt: skip


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)
