"""What Hydra calls: one job is one run in its own directory."""

from __future__ import annotations

import contextlib
import math
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from lstmlab.config import Config, ConfigError, save_config, to_config, to_tree
from lstmlab.data.download import DataError
from lstmlab.tracking.files import RunError, RunFiles
from lstmlab.tracking.plain import one_line
from lstmlab.training import RunFailed, train
from lstmlab.training.distributed import is_main_process, on_main_process, shown_by_main_process
from lstmlab.training.resume import CONFIG_FILE

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
    config = None
    try:
        config = to_config(tree)
        if not sweep:
            _check_directory(config, directory)
        group = Path(hydra.sweep.dir).name if sweep else None
        trained = train(config, directory, group=group)
    except KeyboardInterrupt:
        raise Stopped(f"hydra.sweep.dir={hydra.sweep.dir}" if sweep else f"hydra.run.dir={hydra.run.dir}") from None
    except USER_ERRORS as error:
        if not sweep:
            # Not an Exception: Hydra would print a traceback and its own advice around the one line that matters.
            if not shown_by_main_process(error):
                print(f"lstmlab: {error}", file=sys.stderr)
            raise SystemExit(1) from None
        report_failure(hydra.job.num, directory, error, config)
        return math.inf
    if not sweep and is_main_process():
        print(result(trained.summary, hydra.run.dir))
    return objective(trained.summary)


class Stopped(KeyboardInterrupt):
    """Ctrl-C during a job. The message is the key with which the same command would go on."""


def _check_directory(config: Config, directory: Path) -> None:
    """One run goes on where it was told to, and none overwrites another; raises ``ConfigError``."""
    there = on_main_process((directory / CONFIG_FILE).exists)
    if config.resume and not there:
        raise ConfigError(f"resume=true, but {directory} holds no run: name one with hydra.run.dir=DIR")
    if there and not config.resume:
        raise ConfigError(
            f"{directory} holds a run already: add resume=true to go on with it, or name another hydra.run.dir"
        )


def result(summary: Mapping[str, Any], directory: str) -> str:
    """What a run ends with: its test metric beside the best baseline, and where everything lies."""
    best = (min if summary["goal"] == "min" else max)(summary["baselines"].items(), key=lambda item: item[1])
    metric = f"test {summary['metric']} {summary['value']:.4g}"
    return f"{metric} · baseline {best[1]:.4g} ({best[0]}) · {directory}"


def objective(summary: Mapping[str, Any]) -> float:
    """The validation metric of a finished run, turned so that smaller is better."""
    value = summary["validation"][summary["metric"]]
    return value if summary["goal"] == "min" else -value


def report_failure(number: int, directory: Path, error: Exception, config: Config | None) -> None:
    """Note a failed job of a sweep, also in its directory, and print one line."""
    failures[directory] = message = explained(error, directory)
    if isinstance(error, DataError) and config is not None and not (directory / CONFIG_FILE).exists():
        # It failed before it began: a comparison has to count it all the same.
        with contextlib.suppress(OSError):  # a directory that cannot be made may be what is wrong
            directory.mkdir(parents=True, exist_ok=True)
            save_config(to_tree(config), directory / CONFIG_FILE)
            RunFiles(directory).fail(message)
    print(f"lstmlab: job {number} failed: {message}", file=sys.stderr)


def explained(error: Exception, directory: Path) -> str:
    """The error in one line; the traceback of one that its message does not explain is kept in the run's directory."""
    if isinstance(error, USER_ERRORS):
        return str(error)
    if not directory.is_dir():
        return one_line(error)
    (directory / TRACEBACK_FILE).write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    return f"{one_line(error)} (see {directory / TRACEBACK_FILE})"
