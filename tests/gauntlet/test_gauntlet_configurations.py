"""Random configurations of every cell on every task: they train, or are refused in one line."""

import dataclasses
import shutil

import pytest
from gauntlet_runs import SLOW
from hydra.core.override_parser.types import Quote, QuotedString
from small_runs import overrides, quick_programs, run

from lstmlab.cells import cell_entry, cell_names
from lstmlab.config import ConfigError, compose
from lstmlab.config.schema import SECTIONS, Config
from lstmlab.data.download import DataError
from lstmlab.settings import settings_of
from lstmlab.tasks import task_entry, task_names
from lstmlab.training import RunFailed, load
from lstmlab.training.budget import size_for_budget
from lstmlab.training.compiled import CompiledRun

pytestmark = SLOW
QUICK = ("adding", "parity", "reversal", "selective_copy", "associative_recall", "temporal_order", "copy_memory",
         "char_lm", "japanese_vowels", "stocks", "forecast", "anomaly", "moving_mnist")  # fmt: skip
"""tasks that take seconds; the others take most of a minute, and get a round in ten"""
LARGEST, MOST_LAYERS = 8, 3
"""above them, sizes only cost time and memory"""
TRAINED = 0.4
"""of the configurations whose parts fit, as training compiles for seconds"""
LEFT = ("wandb", "data.dir", "training.steps", "training.distributed", "training.compilation_cache", "resume", "name")
"""keys that leave the machine or the run directory, or change how much is trained"""
WRONG = (
    "nan",
    "inf",
    "-inf",
    "-1",
    "1e39",
    "2147483648",
    "18446744073709551616",
    "",
    "null",
    "true",
    "text",
    "[a]",
    "1.5",
)


def keys_of(cell, task):
    """Every key of a run of this cell and task, with its setting."""
    owners = {"cell.": cell_entry(cell).cls, "task.": task_entry(task).cls, "": Config}
    owners |= {f"{name}.": section for name, section in SECTIONS.items()}
    keys = {prefix + name: each for prefix, cls in owners.items() for name, each in settings_of(cls).items()}
    return {key: each for key, each in keys.items() if not key.startswith(LEFT)}


def random_value(key, setting, dice):
    """A value in the range of a setting, as text, or now and then one that is not."""
    if dice.random() < 0.03:
        return dice.choice(WRONG)
    if setting.choices:
        return str(dice.choice(setting.choices))
    kind = dice.choice(setting.types)
    low = 0.0 if setting.minimum is None else setting.minimum
    if kind is bool:
        return dice.choice(("true", "false"))
    if kind is int:
        high = MOST_LAYERS if key == "model.layers" else LARGEST
        return str(dice.choice((int(low), int(high), dice.randint(int(low), max(int(low), int(high))))))
    if kind is float:
        high = dice.choice((1.0, 100.0, 1e30)) if setting.maximum is None else setting.maximum
        return repr(dice.choice((float(low), float(high), dice.uniform(low, max(low, high)), setting.default)))
    return {str: "some text", tuple: "[a,b]"}.get(kind, "null")


@pytest.fixture(autouse=True)
def quick(tmp_path_factory):
    with quick_programs(tmp_path_factory):
        yield


def test_random_configurations(dice, rounds, tried, tmp_path):
    for number in rounds:
        cell, task = dice.choice(cell_names()), dice.choice(QUICK if dice.random() < 0.9 else task_names())
        keys = keys_of(cell, task)
        chosen = dice.sample(sorted(keys), dice.choice((1, 2, 3, 6)))
        more = [f"{key}={written(random_value(key, keys[key], dice))}" for key in chosen]
        print(f"round {number}: cell={cell} {' '.join(overrides(task, 'training.steps=5', *more))}", flush=True)
        directory = tmp_path / str(number)
        try:
            config = compose(overrides(task, f"cell={cell}", "training.steps=5", *more))
            CompiledRun(size_for_budget(config))
            if dice.random() > TRAINED:
                tried["parts fit"] += 1
                continue
            trained = run(config, directory)
        except (ConfigError, RunFailed, DataError) as error:
            assert str(error)
            assert "\n" not in str(error)
            tried[type(error).__name__] += 1
            continue
        assert trained.summary["status"] == "finished"
        assert dataclasses.asdict(load(directory).config.training) == dataclasses.asdict(trained.config.training)
        tried["trained"] += 1
        shutil.rmtree(directory)


def written(text):
    """Text as an override takes it."""
    return text if text.startswith("[") or " " not in text else QuotedString(text, Quote.single).with_quotes()
