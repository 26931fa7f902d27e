"""Random tables, whole and malformed: they are read into finite numbers, or refused in one line."""

import copy

import numpy as np
import pytest
from gauntlet_runs import SLOW
from omegaconf import OmegaConf
from random_tables import DATES, random_table
from small_runs import command, overrides, quick_programs, run, small

from lstmlab.config import ConfigError
from lstmlab.config.compose import compose_tree
from lstmlab.config.convert import to_config
from lstmlab.data.download import DataError
from lstmlab.data.fill import FILLS

pytestmark = SLOW
ROWS = [f"2021-03-01T{hour:02}:{minute:02},{np.sin(hour + minute):.4f},{np.cos(3 * hour * minute):.4f}"
        for hour in range(24) for minute in (0, 15, 30, 45)]  # fmt: skip


def some(dice, choices):
    """Keys, each with probability 1/4, with one of their values."""
    return {key: dice.choice(values) for key, values in choices.items() if dice.random() < 0.25}


SHARED = {
    "data.missing": ("error", *FILLS), "data.gaps": ("error", "ignore"), "data.na": (["[x]"], ["-999", "#N/A"]),
    "data.time": ("none", "time", "date", ["time", "load"], "1"), "data.columns": (["load"], ["load", "wind"], ["1"]),
    "data.timezone": ("Europe/Berlin", "+01:00", "Mars/Olympus"), "data.ambiguous_time": ("first", "second"),
    "data.time_format": DATES,
}  # fmt: skip
OWN = {
    "forecast": {
        "task.features": ("M", "MS"), "task.calendar": (True,), "task.normalise": ("none", "window"),
        "task.folds": (3,), "task.season": (2, 500), "task.window": (2, 1000),
    },
    "anomaly": {"data.label": ("wind", "load", "x"), "task.train_share": (0.01, 0.5, 0.7, 0.99)},
}  # fmt: skip


def random_keys(dice, task):
    """Random keys about a file; often they fit neither the file nor each other."""
    target = {"data.target": dice.choice(("load", "wind", "load", "wind", "T (degC)", "time"))}
    return target | dice.choice(({}, {}, some(dice, SHARED))) | dice.choice(({}, some(dice, OWN[task])))


def test_tables_to_train_on(dice, rounds, tried, tmp_path):
    trees = {task: compose_tree(overrides(task)) for task in OWN}
    for _ in rounds:
        content, what = random_table(dice)
        file = tmp_path / "table.csv"
        file.write_bytes(content)
        task = dice.choice(list(OWN))
        keys = {"data.file": str(file), **random_keys(dice, task)}
        print(f"{task} {keys}: {what}")
        try:
            data = with_keys(trees[task], keys).task.data()
        except (ConfigError, DataError) as error:
            assert "\n" not in str(error)
            tried[f"{task}: refused"] += 1
            continue
        assert {"train", "validation", "test"} <= data.keys()
        assert all(np.isfinite(np.asarray(array, np.float64)).all() for array in arrays(data))
        tried[f"{task}: read"] += 1


def with_keys(tree, keys):
    """The configuration with other values; composing it takes much longer."""
    tree = copy.deepcopy(tree)
    for key, value in keys.items():
        OmegaConf.update(tree, key, value)
    return to_config(tree)


def arrays(data):
    """The arrays of a nest of dictionaries and sequences."""
    if isinstance(data, dict):
        data = tuple(data.values())
    return [leaf for part in data for leaf in arrays(part)] if isinstance(data, (list, tuple)) else [data]


@pytest.fixture
def trained(tmp_path, tmp_path_factory):
    """A forecaster and a detector, of two columns a quarter of an hour apart."""
    with quick_programs(tmp_path_factory):
        file = tmp_path / "train.csv"
        file.write_text("\n".join(["time,load,wind", *ROWS]))
        settings = {"forecast": ["task.features=M", "task.season=4"], "anomaly": []}
        yield {
            name: run(small(task, f"data.file={file}", *settings[task]), tmp_path / name).directory
            for name, task in {"forecast": "forecast", "detect": "anomaly"}.items()
        }


def test_tables_given_to_trained_models(trained, dice, rounds, tried, tmp_path):
    for _ in rounds:
        content, what = random_table(dice, ["load", "wind"] if dice.random() < 0.8 else None)
        file, output, name = tmp_path / "new.csv", tmp_path / "out", dice.choice(list(trained))
        file.write_bytes(content)
        more = [f"--missing={dice.choice(FILLS)}"] if dice.random() < 0.5 else []
        print(f"{name} {more}: {what}")
        ended = command(name, str(trained[name]), "--file", str(file), "--output", str(output), *more)
        tried[f"{name}: exit status {ended.code}"] += 1
        if ended.code:
            assert ended.code == 1
            assert ended.out == ""
            assert ended.err.count("\n") == 1
            continue
        table = (output / ("forecast.csv" if name == "forecast" else "scores.csv")).read_text(encoding="utf-8")
        assert "nan" not in table
        assert "inf" not in table
