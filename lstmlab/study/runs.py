"""Finding runs and reading what they say; every file is read once."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lstmlab.tracking.files import SUMMARY, RunError, read_summary
from lstmlab.tracking.plain import INTERRUPTED

CONFIG = "config.yaml"
FINISHED, FAILED, UNFINISHED = "finished", "failed", "unfinished"
# What a run's directory holds beside the run; W&B's and Hydra's copies of the configuration are no runs.
_NO_RUNS = {".hydra", "wandb", "checkpoints", "pictures", "samples", "tables"}


@dataclass(frozen=True)
class Run:
    """One run: its configuration by dotted key, and its summary (empty unless ``status`` is finished)."""

    directory: Path
    config: dict[str, Any]
    status: str
    summary: dict[str, Any]
    reason: str
    written: float

    @property
    def cell(self) -> str:
        """The cell's name."""
        return str(self.config["cell.name"])

    @property
    def task(self) -> str:
        """The task's name, without its settings."""
        return str(self.config["task.name"])

    @property
    def seed(self) -> Any:
        """The run's seed."""
        return self.config.get("seed")

    @property
    def finished(self) -> bool:
        """Whether there is a result."""
        return self.status == FINISHED

    @property
    def goal(self) -> str:
        """``min`` or ``max``; of finished runs."""
        return self.summary.get("goal", "min")

    @property
    def value(self) -> float:
        """The test metric, finite; of finished runs."""
        return float(self.summary["value"])

    @property
    def validation(self) -> float:
        """The metric on validation; NaN if it was not recorded."""
        values = self.summary.get("validation") or {}
        return float(values.get(self.summary.get("metric"), math.nan))


def read_runs(directories: Sequence[str | Path]) -> list[Run]:
    """The runs at or below the directories, those of one directory in natural order (2 before 10).

    Raises ``RunError`` where a directory is none or a file is garbled.
    """
    return [read_run(path) for path in find_runs(directories)]


def find_runs(directories: Sequence[str | Path]) -> list[Path]:
    """Run directories (those with a run's ``config.yaml``) at or below the given ones, in order.

    Raises ``RunError`` where a directory is none.
    """
    found: dict[Path, Path] = {}
    for directory in map(Path, directories):
        if not directory.is_dir():
            raise RunError(f"{directory} is not a directory")
        paths = []
        for place, folders, files in os.walk(directory):
            folders[:] = [folder for folder in folders if folder not in _NO_RUNS]
            if CONFIG in files:
                paths.append(Path(place))
        # One run is one run, also where the given directories overlap.
        for path in sorted(paths, key=_natural):
            found.setdefault(path.resolve(), path)
    return list(found.values())


def read_run(directory: Path) -> Run:
    """The run of one directory; raises ``RunError`` naming a file that is garbled."""
    config = _read_config(directory / CONFIG)
    path = directory / SUMMARY
    if not path.exists():
        return Run(directory, config, UNFINISHED, {}, "not finished", (directory / CONFIG).stat().st_mtime)
    summary, written = read_summary(directory), path.stat().st_mtime
    if summary.get("status") != FINISHED:
        reason = str(summary.get("error", "failed"))
        by_hand = reason.startswith((INTERRUPTED, "KeyboardInterrupt", "SystemExit"))
        return Run(directory, config, UNFINISHED if by_hand else FAILED, {}, reason, written)
    missing = [key for key in ("metric", "value") if key not in summary]
    if missing:
        raise RunError(f"{path}: a finished run without {' and '.join(missing)}")
    if not math.isfinite(summary["value"]):
        return Run(directory, config, FAILED, {}, f"its test {summary['metric']} is {summary['value']}", written)
    return Run(directory, config, FINISHED, summary, "", written)


_FASTEST: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_FASTEST):
    """YAML in C, where PyYAML has it: several times as fast as OmegaConf."""


# YAML 1.1 wants a point in 1e-3; people and OmegaConf do not.
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"[-+]?\d+[eE][-+]?\d+$"), list("-+0123456789"))


def _read_config(path: Path) -> dict[str, Any]:
    try:
        tree = yaml.load(path.read_bytes(), _Loader)
    except (yaml.YAMLError, UnicodeDecodeError):
        raise RunError(f"{path}: not valid YAML") from None
    flat = _flat(tree) if isinstance(tree, dict) else {}
    for group in ("cell", "task"):
        if isinstance(flat.get(group), str):  # a file written by hand: cell: lstm
            flat[f"{group}.name"] = flat.pop(group)
        if f"{group}.name" not in flat:
            raise RunError(f"{path}: not the configuration of a run: it has no {group}.name")
    return flat


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = str(value) if isinstance(value, list) else value
    return flat


def _natural(path: Path) -> list[tuple[int, int, str]]:
    parts = re.split(r"(\d+)", path.as_posix())
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]
