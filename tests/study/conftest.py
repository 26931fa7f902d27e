"""Directories of runs that ended with known values."""

import dataclasses
import functools

import pytest

from lstmlab.config import compose, save_config, to_tree
from lstmlab.tracking import RunFiles

DIVERGED = "RunFailed: the loss stopped being finite at step 12: lower optimizer.learning_rate (now 1)"

NO_TEST = {"value": None, "test": None, "baselines": {}, "beats_baseline": None}


@functools.cache
def _composed(*overrides):
    return compose(["task=adding", *overrides])


@pytest.fixture
def make_run(tmp_path):
    """Writes the directory of a run that ended with the given test value (and validation, the same unless given).

    What ran is said by overrides, or by a whole ``config``.
    """

    def make(name, *overrides, value=0.1, validation=None, status="finished", goal="min", error=DIVERGED, **more):
        keys = dict(override.split("=", 1) for override in overrides)
        others = (f"{key}={value}" for key, value in keys.items() if key != "seed")
        config = more.pop("config", None) or dataclasses.replace(_composed(*others), seed=int(keys.get("seed", 0)))
        directory = tmp_path / name
        files = RunFiles(directory)
        save_config(to_tree(config), directory / "config.yaml")
        for step, point in enumerate(more.pop("curve", (0.5, 0.2)), start=1):
            files.log(step, {"train/loss": point, "validation/mse": point})
        if status == "failed":
            files.fail(error)
        elif status == "finished":
            files.finish(
                {
                    "cell": config.cell.name, "task": config.task.name, "seed": config.seed, "metric": "mse",
                    "goal": goal, "value": value, "test": {"mse": value},
                    "validation": {"mse": value if validation is None else validation},
                    "baselines": {"constant 1": 1 / 6, "nothing": 0.9}, "beats_baseline": value < 1 / 6,
                    "solved": {"step": 40, "seconds": 2.5} if value < 0.01 else False,
                    "parameters": 361, "hidden_size": config.model.hidden_size, "state_size": 16,
                    "steps_per_second": 100.0,
                } | ({} if config.training.test else NO_TEST) | more
            )  # fmt: skip
        return directory

    return make
