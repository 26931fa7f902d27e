"""Cells and tasks go together, from configuration to saved model: every cell with one task and every task with a cell,
and (slow) every pair."""

import functools
import math

import pytest
from small_runs import in_turn, run, small

from lstmlab import load
from lstmlab.cells import cell_entry, cell_names
from lstmlab.config import ConfigError
from lstmlab.settings import settings_of
from lstmlab.tasks import Features, task_entry, task_names
from lstmlab.tracking.files import read_metrics

SPATIAL = {name for name in cell_names() if settings_of(cell_entry(name).cls)["map"].default == "conv"}


@functools.cache  # of a task: some read their data to know their inputs
def has_places(task):
    inputs = task_entry(task).cls().inputs
    return isinstance(inputs, Features) and bool(inputs.spatial)


def fits(cell, task):
    return cell not in SPATIAL or has_places(task)


PAIRS = [(cell, task) for task in task_names() for cell in cell_names()]


# Exact zeros are divided by their deviation: see the cell's text.
NEEDS = {("layer_norm_lstm", "sequential_images"): ["dropout.input_noise=0.01"]}


@pytest.mark.parametrize(("cell", "task"), in_turn(pair for pair in PAIRS if fits(*pair)))
def test_two_steps_from_configuration_to_saved_model(cell, task, tmp_path):
    trained = run(small(task, f"cell={cell}", "training.steps=2", *NEEDS.get((cell, task), [])), tmp_path)
    (row,) = read_metrics(tmp_path)
    assert row["step"] == 2
    assert all(math.isfinite(value) for value in row.values())
    summary = trained.summary
    assert (summary["cell"], summary["task"]) == (cell, task)
    assert all(math.isfinite(value) for value in summary["test"].values())
    assert summary["metric"] in summary["test"]
    assert summary["parameters"] > 0
    assert load(tmp_path).config == trained.config


@pytest.mark.parametrize(("cell", "task"), in_turn(pair for pair in PAIRS if not fits(*pair)))
def test_what_does_not_fit_is_refused_with_advice(cell, task, tmp_path):
    with pytest.raises(ConfigError, match="needs a task with spatial inputs, such as moving_mnist"):
        run(small(task, f"cell={cell}"), tmp_path)


def test_a_dense_cell_reads_whole_frames_and_a_convolutional_one_their_places():
    # The classic comparison on Moving MNIST: 16 patches of 16 pixels, as one vector or as a map.
    dense, conv = small("moving_mnist", "cell=lstm"), small("moving_mnist", "cell=conv_lstm")
    assert dense.task == conv.task
    assert dense.task.inputs.spatial == (4, 4)
