"""What Hydra calls: one job is one run in its own directory."""

from __future__ import annotations

import math
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from lstmlab.config import ConfigError, to_config
from lstmlab.data.download import DataError
from lstmlab.tracking.files import RunError
from lstmlab.tracking.plain import one_line
from lstmlab.training import RunFailed, train
from lstmlab.training.hosts import from_lead, was_told
from lstmlab.training.member import CONFIG_FILE

# Errors whose message alone says what is wrong.
USER_ERRORS = (ConfigError, DataError, RunError, RunFailed, OSError)
TRACEBACK_FILE = "traceback.txt"

# Jobs of this process that ended without a result, by directory. An exception would end the sweep without its table.
failures: dict[Path, str] = {}


def run_job(tree: DictConfig) -> float:
    """Run one job; returns the objective for Hydra's sweepers: the validation metric, smaller is better.

    In a sweep a job that fails is reported and noted in ``failures``, and the others go on.
    """
    hydra = HydraConfig.get()
    directory = Path(hydra.runtime.output_dir)
    sweep = hydra.mode == RunMode.MULTIRUN
    try:
        config = to_config(tree)
        if config.resume and not sweep and not from_lead((directory / CONFIG_FILE).exists):
            raise ConfigError(f"resume=true, but {directory} holds no run: name one with hydra.run.dir=DIR")
        group = Path(hydra.sweep.dir).name if sweep else None
        trained = train(config, directory, group=group)
    except USER_ERRORS as error:
        if not sweep:
            # Not an Exception: Hydra would print a traceback and its own advice around the one line that matters.
            if not was_told(error):
                print(f"lstmlab: {error}", file=sys.stderr)
            raise SystemExit(1) from None
        report_failure(hydra.job.num, directory, error)
        return math.inf
    return objective(trained.summary)


def objective(summary: Mapping[str, Any]) -> float:
    """The validation metric of a finished run, turned so that smaller is better."""
    value = summary["validation"][summary["metric"]]
    return value if summary["goal"] == "min" else -value


def report_failure(number: int, directory: Path, error: Exception) -> None:
    """Note a failed job of a sweep, and print one line."""
    failures[directory] = message = explained(error, directory)
    print(f"lstmlab: job {number} failed: {message}", file=sys.stderr)


def explained(error: Exception, directory: Path) -> str:
    """The error in one line; the traceback of one that its message does not explain is kept in the run's directory."""
    if isinstance(error, USER_ERRORS):
        return str(error)
    if not directory.is_dir():
        return one_line(error)
    (directory / TRACEBACK_FILE).write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    return f"{one_line(error)} (see {directory / TRACEBACK_FILE})"
