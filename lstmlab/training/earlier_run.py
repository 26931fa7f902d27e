"""Whether the files in a directory are those of a run, before a new run overwrites them."""

from __future__ import annotations

from pathlib import Path

from lstmlab.config import read_tree
from lstmlab.tracking.checksums import CONFIG_FILE
from lstmlab.tracking.files import METRICS, SUMMARY, RunError
from lstmlab.training.trained import ARTIFACTS_FILE, MODEL_FILE

RESULTS = (METRICS, SUMMARY, MODEL_FILE, ARTIFACTS_FILE)


def check_free(directory: Path) -> None:
    """Raises ``RunError`` or ``ConfigError`` where a run would overwrite a file that no run has written."""
    config = directory / CONFIG_FILE
    if config.exists():
        if not {"cell", "task"} <= read_tree(config).keys():
            raise RunError(f"{config} is not the configuration of a run: name another directory")
        return
    for name in RESULTS:
        if (directory / name).exists():
            raise RunError(f"{directory / name} is of no run that could be found: name another directory")
