"""What Hydra calls for a job: one run in a directory of its own."""

from __future__ import annotations

import contextlib
import math
import signal
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
from lstmlab.environment_errors import environment_line
from lstmlab.launch.directories import check_run
from lstmlab.launch.leave import leave
from lstmlab.printable import escaped
from lstmlab.tasks.task import best_baseline
from lstmlab.tracking.checksums import CONFIG_FILE
from lstmlab.tracking.disk import DiskFull
from lstmlab.tracking.files import RunError, RunFiles
from lstmlab.tracking.plain import one_line
from lstmlab.training import RunFailed, train
from lstmlab.training.distributed import is_main_process, on_main_process

USER_ERRORS = (ConfigError, DataError, RunError, RunFailed, OSError)
"""Errors whose message says what is wrong, so that users need no traceback."""
TRACEBACK_FILE = "traceback.txt"

failures: dict[Path, str] = {}
"""Messages of the failed jobs of this process, by directory. Raising them would end a sweep without its table."""


def run_job(tree: DictConfig) -> float:
    """Run one job; returns the objective for Hydra's sweepers: the validation metric, smaller is better.

    A job that fails in a sweep is added to ``failures`` and has the objective ``inf``; the other jobs go on.
    """
    hydra = HydraConfig.get()
    directory = Path(hydra.runtime.output_dir)
    sweep = hydra.mode == RunMode.MULTIRUN
    config = None
    try:
        config = to_config(tree)
        resume = config.resume
        on_main_process(lambda: check_run(directory, resume=resume, sweep=sweep))
        group = Path(hydra.sweep.dir).name if sweep else None
        trained = train(config, directory, group=group)
    except KeyboardInterrupt as stopped:
        key = f"hydra.sweep.dir={hydra.sweep.dir}" if sweep else f"hydra.run.dir={hydra.run.dir}"
        raise Stopped(key, status_of(stopped)) from None
    except Exception as error:
        line = expected_line(error)
        if line is None:
            raise
        if not sweep:
            leave(error, line)
        report_failure(hydra.job.num, directory, error, config)
        return math.inf
    if not sweep and is_main_process():
        _show(escaped(result(trained.summary, hydra.run.dir)))
    return objective(trained.summary)


def _show(line: str) -> None:
    """Print the result, which the files of the run have too."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        pass  # whoever read the output has seen enough
    except OSError as error:
        print(f"lstmlab: cannot write to standard output: {error.strerror}; {line}", file=sys.stderr)
        raise SystemExit(1) from None


class Stopped(KeyboardInterrupt):
    """Ctrl-C or SIGTERM during a job; the message is the override to resume with, such as ``hydra.run.dir=DIR``."""

    def __init__(self, override: str, status: int) -> None:
        super().__init__(override)
        self.status = status


def status_of(stopped: KeyboardInterrupt) -> int:
    """The exit status after Ctrl-C or SIGTERM: 128 and the number of the signal."""
    return getattr(stopped, "status", 128 + signal.SIGINT)


def result(summary: Mapping[str, Any], directory: str) -> str:
    """The last line of a run: its test metric, the best baseline, and the run directory.

    A run without test values has its validation metric there.
    """
    if summary["test"] is None:
        return f"validation {summary['metric']} {summary['validation'][summary['metric']]:.4g} · {directory}"
    name, value = best_baseline(summary["baselines"], summary["goal"])
    metric = f"test {summary['metric']} {summary['value']:.4g}"
    return f"{metric} · baseline {value:.4g} ({name}) · {directory}"


def objective(summary: Mapping[str, Any]) -> float:
    """The validation metric of a finished run, negated where larger is better."""
    value = summary["validation"][summary["metric"]]
    return value if summary["goal"] == "min" else -value


def report_failure(number: int, directory: Path, error: Exception, config: Config | None) -> None:
    """Record a failed job of a sweep in ``failures`` and in its directory, and print one line."""
    failures[directory] = message = one_line_reason(error, directory)
    if isinstance(error, DataError) and config is not None and not (directory / CONFIG_FILE).exists():
        # It failed before it began; a comparison must count it as failed.
        with contextlib.suppress(OSError):  # the error may be that the directory cannot be made
            directory.mkdir(parents=True, exist_ok=True)
            save_config(to_tree(config), directory / CONFIG_FILE)
            RunFiles(directory).fail(message)
    print(escaped(f"lstmlab: job {number} failed: {message}"), file=sys.stderr)


def expected_line(error: Exception) -> str | None:
    """One line for an error of the user or of the environment; ``None`` for one that needs its traceback."""
    if isinstance(error, DiskFull):  # names the directory, which the limit's own line does not
        return str(error)
    return environment_line(error) or (str(error) if isinstance(error, USER_ERRORS) else None)


def one_line_reason(error: Exception, directory: Path) -> str:
    """The error in one line; the traceback of an unexpected error is written to the run directory."""
    if line := expected_line(error):
        return line
    if not directory.is_dir():
        return one_line(error)
    (directory / TRACEBACK_FILE).write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    return f"{one_line(error)} (see {directory / TRACEBACK_FILE})"
