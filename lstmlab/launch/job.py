"""What Hydra calls: one job is one run in its own directory."""

from __future__ import annotations

import math
import sys
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from lstmlab.config import ConfigError, to_config
from lstmlab.data.download import DataError
from lstmlab.tracking.files import RunError
from lstmlab.training import RunFailed, train
from lstmlab.training.member import CONFIG_FILE

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
        if config.resume and not sweep and not (directory / CONFIG_FILE).exists():
            raise ConfigError(f"resume=true, but {directory} holds no run: name one with hydra.run.dir=DIR")
        group = Path(hydra.sweep.dir).name if sweep else None
        trained = train(config, directory, group=group)
    except (ConfigError, DataError, RunError, RunFailed, OSError) as error:
        if not sweep:
            # Not an Exception: Hydra would print a traceback and its own advice around the one line that matters.
            print(f"lstmlab: {error}", file=sys.stderr)
            raise SystemExit(1) from None
        failures[directory] = str(error)
        print(f"lstmlab: job {hydra.job.num} failed: {error}", file=sys.stderr)
        return math.inf
    summary = trained.summary
    value = summary["validation"][summary["metric"]]
    return value if summary["goal"] == "min" else -value
