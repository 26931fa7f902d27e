"""What a diagnostic says, in the form in which ``explain.json`` holds it; docs/explain.md describes the file."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from lstmlab.tracking.files import write_atomically

VERSION = 1
FILE = "explain.json"
_DIGITS = 5
"""significant digits of the numbers in the file, which keep it small"""

MOST_VALUES = 128
"""of units or indices that a finding lists"""

Scale = Literal["linear", "log"]


@dataclass(frozen=True)
class Axis:
    """What the values of a finding are listed along."""

    name: str
    unit: str
    values: Sequence[Any]
    """numbers, or names"""
    scale: Scale = "linear"
    marks: Mapping[str, float] = field(default_factory=dict)
    """places on the axis that matter, by name"""


@dataclass(frozen=True)
class Finding:
    """One quantity of one layer of one checkpoint, along one axis."""

    name: str
    """of the quantity, such as ``loss_gradient``"""
    title: str
    """what it is, in a line"""
    axis: Axis
    unit: str
    """of the values"""
    series: Mapping[str, Sequence[float | None]]
    """lists along the axis, by name"""
    scale: Scale = "linear"
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Placed:
    """A finding with the diagnostic, the checkpoint and the layer that it is of."""

    diagnostic: str
    checkpoint: str
    step: int
    layer: int
    finding: Finding

    def plain(self) -> dict[str, Any]:
        """As the file holds it."""
        found = dataclasses.asdict(self.finding)
        where = {"diagnostic": self.diagnostic, "checkpoint": self.checkpoint, "step": self.step, "layer": self.layer}
        found["axis"]["values"] = [_number(value) for value in self.finding.axis.values]
        found["series"] = {name: [_number(v) for v in values] for name, values in self.finding.series.items()}
        return where | found | {"notes": list(self.finding.notes)}


@dataclass
class RunFindings:
    """All that was found about one run."""

    run: dict[str, Any]
    """cell, task, seed, directory and the like"""
    settings: dict[str, Any]
    checkpoints: list[dict[str, Any]] = field(default_factory=list)
    findings: list[Placed] = field(default_factory=list)
    refusals: list[dict[str, str]] = field(default_factory=list)

    def refuse(self, diagnostic: str, reason: str) -> bool:
        """Note what cannot be given and why; whether it is news."""
        refusal = {"diagnostic": diagnostic, "reason": reason}
        if refusal in self.refusals:
            return False
        self.refusals.append(refusal)
        return True

    def write(self, path: Path) -> None:
        """Write ``explain.json``."""
        content = {
            "version": VERSION, "run": self.run, "settings": self.settings, "checkpoints": self.checkpoints,
            "refusals": self.refusals, "findings": [placed.plain() for placed in self.findings],
        }  # fmt: skip
        write_atomically(path, json.dumps(content, allow_nan=False, ensure_ascii=False, separators=(",", ":")) + "\n")


def thinned(count: int, most: int = MOST_VALUES) -> np.ndarray:
    """The numbers 0 … ``count - 1``, or ``most`` of them at equal distances."""
    return np.unique(np.linspace(0, max(count - 1, 0), min(count, most)).round().astype(int))


def _number(value: Any) -> Any:
    """A number with few digits; ``None`` for what is not finite; everything else as it is."""
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, (int, np.integer)):
        return int(value)
    number = float(value)
    return float(f"{number:.{_DIGITS}g}") if math.isfinite(number) else None
