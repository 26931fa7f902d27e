"""Directories as runs write them, made in milliseconds."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from lstmlab.tracking.locks import owned
from lstmlab.tracking.plain import to_plain


def write_run(directory: Path, rows: int = 0, *, summary: dict[str, Any] | None = None, **keys: Any) -> Path:
    """A run with ``rows`` rows at steps 10, 20, …; further keywords are values of the configuration, dots as ``__``."""
    directory.mkdir(parents=True, exist_ok=True)
    config: dict[str, Any] = {
        "cell": {"name": "lstm"}, "task": {"name": "adding"}, "optimizer": {"learning_rate": 0.01},
        "training": {"steps": 1000, "patience": 0, "log_every": 10}, "seed": 0,
    }  # fmt: skip
    for key, value in keys.items():
        section, _, name = key.partition("__")
        if name:
            config.setdefault(section, {})[name] = value
        else:
            config[section] = value
    (directory / "config.yaml").write_text(yaml.safe_dump(config))
    append(directory, *(row(10 * (i + 1)) for i in range(rows)))
    if summary is not None:
        (directory / "summary.json").write_text(json.dumps(to_plain(summary)))
    return directory


def row(step: int, **values: float) -> dict[str, Any]:
    """One row of metrics."""
    return {
        "step": step, "train/loss": 1.0 / step, "time/steps_per_second": 100.0, "validation/mse": 2.0 / step, **values,
    }  # fmt: skip


def append(directory: Path, *rows: dict[str, Any]) -> None:
    """Append rows as a run does."""
    with (directory / "metrics.jsonl").open("a") as stream:
        stream.writelines(json.dumps(to_plain(each)) + "\n" for each in rows)


def finished(value: float) -> dict[str, Any]:
    """The summary of a finished run."""
    return {
        "status": "finished", "metric": "mse", "goal": "min", "value": value, "validation": {"mse": value},
        "seconds": {"train": 12.0}, "baselines": {"constant 1": 0.1667},
    }  # fmt: skip


@contextlib.contextmanager
def running(directory: Path) -> Iterator[None]:
    """The directory belongs to a run, as while it trains."""
    with owned(directory):
        yield
