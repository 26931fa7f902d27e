"""Finding run directories and reading their configurations and summaries; every file is read once."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lstmlab.config import ConfigError, read_tree
from lstmlab.study.searches import Confirms, confirms
from lstmlab.tracking.checksums import CONFIG_FILE
from lstmlab.tracking.files import METRICS, SUMMARY, RunError, check_run_files, read_summary
from lstmlab.tracking.plain import INTERRUPTED
from lstmlab.tracking.written import NOT_SEARCHED

COMPARED = (CONFIG_FILE, METRICS)
"""the files beside the summary on which a comparison relies"""
ConfigValue = bool | int | float | str | None
"""a value of a configuration key; lists are written as strings"""
FINISHED, FAILED, UNFINISHED = "finished", "failed", "unfinished"
TEST, VALIDATION = "test", "validation"


@dataclass(frozen=True)
class Run:
    """One run: its configuration by dotted key, and its summary (empty unless ``status`` is finished)."""

    directory: Path
    config: dict[str, ConfigValue]
    status: str
    summary: dict[str, Any]
    reason: str
    """why there is no result; empty for finished runs"""
    written: float
    """when the summary, or else the configuration, was written: seconds since 1970"""
    confirms: Confirms | None = None
    """the setting of a search that the run confirms"""

    @property
    def cell(self) -> str:
        """The cell's name."""
        return str(self.config["cell.name"])

    @property
    def task(self) -> str:
        """The task's name, without its settings."""
        return str(self.config["task.name"])

    @property
    def seed(self) -> ConfigValue:
        """The run's seed."""
        return self.config.get("seed")

    @property
    def finished(self) -> bool:
        """Whether there is a result."""
        return self.status == FINISHED

    @property
    def goal(self) -> str:
        """``min`` or ``max``; for finished runs."""
        return self.summary.get("goal", "min")

    @property
    def split(self) -> str:
        """The split of ``value``: ``test``, or ``validation`` for a run with ``training.test=false``."""
        return split_of(self.config)

    @property
    def value(self) -> float:
        """The metric on ``split``, which is finite; for finished runs."""
        return float(self.summary["value"]) if self.split == TEST else self.validation

    @property
    def validation(self) -> float:
        """The metric on validation; NaN if it was not recorded."""
        values = self.summary.get("validation") or {}
        return float(values.get(self.summary.get("metric"), math.nan))


def read_runs(directories: Sequence[str | Path]) -> list[Run]:
    """The runs at or below the directories, those of one directory in natural order (2 before 10).

    Raises ``RunError`` for a path that is not a directory, and for a file that cannot be read.
    """
    return [read_run(path) for path in find_runs(directories)]


def find_runs(directories: Sequence[str | Path]) -> list[Path]:
    """Run directories (those with a run's ``config.yaml``) at or below the given ones, in order.

    Raises ``RunError`` for a path that is not a directory.
    """
    found: dict[Path, Path] = {}
    for directory in map(Path, directories):
        if not directory.is_dir():
            raise RunError(f"{directory} is not a directory")
        paths = []
        for place, folders, files in os.walk(directory):
            folders[:] = [folder for folder in folders if folder not in NOT_SEARCHED]
            if CONFIG_FILE in files:
                paths.append(Path(place))
        # By resolved path, so that a run counts once where the given directories overlap.
        for path in sorted(paths, key=_natural_order):
            found.setdefault(path.resolve(), path)
    return list(found.values())


def read_run(directory: Path) -> Run:
    """The run of one directory; raises ``RunError`` that names the file if one cannot be read."""
    config = _read_config(directory / CONFIG_FILE)
    path = directory / SUMMARY
    search = confirms(directory)
    if not path.exists():
        written = (directory / CONFIG_FILE).stat().st_mtime
        return Run(directory, config, UNFINISHED, {}, "not finished", written, search)
    summary, written = read_summary(directory), path.stat().st_mtime
    check_run_files(directory, COMPARED)
    if summary.get("status") != FINISHED:
        reason = str(summary.get("error", "failed"))
        stopped = reason.startswith((INTERRUPTED, "KeyboardInterrupt", "SystemExit"))
        return Run(directory, config, UNFINISHED if stopped else FAILED, {}, reason, written, search)
    value, split = _result(path, summary, split_of(config)), split_of(config)
    if not math.isfinite(value):
        reason = f"its {split} {summary['metric']} is {value}"
        return Run(directory, config, FAILED, {}, reason, written, search)
    return Run(directory, config, FINISHED, summary, "", written, search)


def split_of(config: Mapping[str, ConfigValue]) -> str:
    """The split on which a run of this configuration has its result."""
    return VALIDATION if config.get("training.test") is False else TEST


def _result(path: Path, summary: Mapping[str, Any], split: str) -> float:
    """The metric on ``split`` that a summary has; raises ``RunError`` where it has none."""
    missing = [key for key in ("metric", "value") if key not in summary]
    if missing:
        raise RunError(f"{path}: a finished run without {' and '.join(missing)}")
    values: Any = summary.get("validation")
    value: Any = summary["value"]
    if split == VALIDATION:
        value = values.get(summary["metric"]) if isinstance(values, dict) else None
    if type(value) not in (int, float) or summary.get("goal", "min") not in ("min", "max"):
        raise RunError(
            f"{path}: not the summary of a run: its {split} value is {value!r}, goal {summary.get('goal')!r}"
        )
    return value


def _read_config(path: Path) -> dict[str, ConfigValue]:
    try:
        flat = _flat(read_tree(path))
    except ConfigError as error:
        raise RunError(str(error)) from None
    for group in ("cell", "task"):
        if isinstance(flat.get(group), str):  # a file written by hand: cell: lstm
            flat[f"{group}.name"] = flat.pop(group)
        if f"{group}.name" not in flat:
            raise RunError(f"{path}: not the configuration of a run: it has no {group}.name")
    return flat


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, ConfigValue]:
    flat: dict[str, ConfigValue] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = str(value) if isinstance(value, list) else value
    return flat


def _natural_order(path: Path) -> list[tuple[int, int, str]]:
    parts = re.split(r"(\d+)", path.as_posix())
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]
