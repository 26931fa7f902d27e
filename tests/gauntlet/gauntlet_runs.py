"""Runs that last long enough to be disturbed, and what must be left of them."""

from pathlib import Path

import pytest
from small_runs import TASKS, TINY, assert_same_bits, parameters, untimed

from lstmlab.tracking.files import read_metrics, read_summary

SLOW = [pytest.mark.slow, pytest.mark.timeout(4 * 3600)]
ROOT = Path(__file__).parents[2]
ROWS = 20
SETTINGS = ["training.steps=40", "training.log_every=2", "training.eval_every=10", "training.checkpoint_every=4"]
ADDING = ["task=adding", *TASKS["adding"], *TINY, *SETTINGS]


def environment(cache):
    """Variables of a process that compiles quickly, and keeps its programs in the folder ``cache``."""
    return {"PYTHONPATH": str(ROOT), "LSTMLAB_CACHE_DIR": str(cache), "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}


def has_reached(directory, rows):
    """Whether a run has written this number of rows; -1: whether its directory exists, 0: whether it has begun."""
    file = directory if rows < 0 else directory / ("metrics.jsonl" if rows else "config.yaml")
    try:
        return file.exists() and (rows < 1 or file.read_bytes().count(b"\n") >= rows)
    except OSError:  # it is being replaced
        return False


def resuming(directory):
    """The override with which a run goes on, if there is something to resume."""
    return ["resume=true"] if (directory / "config.yaml").exists() else []


def assert_same_run(directory, undisturbed):
    """It has finished, with the same bits and the same rows."""
    assert read_summary(directory)["status"] == "finished"
    assert_same_bits(parameters(directory), parameters(undisturbed))
    assert untimed(read_metrics(directory)) == untimed(read_metrics(undisturbed))
