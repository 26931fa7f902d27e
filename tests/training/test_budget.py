"""A budget of parameters is spent by the hidden size: as much as fits, for every cell on every task."""

import jax
import pytest
from small_runs import TASKS, in_turn, run, small

from lstmlab.cells import cell_names
from lstmlab.config import ConfigError, compose
from lstmlab.tasks import task_names
from lstmlab.tracking.files import read_summary
from lstmlab.training import load
from lstmlab.training.budget import parameters_of, size_for_budget, with_hidden_size

BUDGET = 20_000


def fits_task(cell, task):
    return cell != "conv_lstm" or task == "moving_mnist"


def with_next_size(config):
    """Parameters with the next hidden size that the cell allows: groups of units may have to divide it."""
    for more in range(1, 65):
        try:
            return parameters_of(with_hidden_size(config, config.model.hidden_size + more))
        except ConfigError:
            continue
    raise AssertionError(f"no larger hidden size than {config.model.hidden_size} is allowed")


PAIRS = [(cell, task) for task in task_names() for cell in cell_names() if fits_task(cell, task)]


@pytest.mark.parametrize(("cell", "task"), in_turn(PAIRS))
def test_one_more_unit_would_be_too_many(cell, task):
    # However kernels start, there are as many; zeros are the quickest to trace.
    asked = [f"task={task}", *TASKS.get(task, []), f"cell={cell}", "init.input=zeros", "init.recurrent=zeros"]
    # Embeddings of thousands of words, or maps of whole fields, take more than the usual budget with a few units.
    few = parameters_of(compose([*asked, "model.hidden_size=8"]))
    budget = max(BUDGET, 2 * few)
    config = size_for_budget(compose([*asked, f"model.parameter_budget={budget}"]))
    assert parameters_of(config) <= budget < with_next_size(config)


def test_the_run_says_what_it_was_given_and_what_it_became(tmp_path):
    trained = run(small("adding", "model.parameter_budget=500", "model.layers=2"), tmp_path)
    summary = read_summary(tmp_path)
    assert summary["parameter_budget"] == 500
    assert summary["hidden_size"] == trained.config.model.hidden_size == load(tmp_path).config.model.hidden_size
    assert summary["parameters"] == sum(leaf.size for leaf in jax.tree.leaves(trained.model)) <= 500
    again = run(small("adding", "model.parameter_budget=500", "model.layers=2", "resume=true"), tmp_path)
    assert again.summary == summary


def test_without_a_budget_the_hidden_size_is_as_given(tmp_path):
    config = small("adding", "model.hidden_size=7")
    assert size_for_budget(config) is config
    assert run(config, tmp_path).summary["parameter_budget"] is None


@pytest.mark.parametrize(
    ("settings", "unit"),
    [
        (["model.block=up_projection"], 2),
        (["cell.map=block_diagonal", "cell.heads=3"], 3),
        (["model.block=up_projection", "cell.map=block_diagonal", "cell.heads=3"], 6),
    ],
    ids=["block", "heads", "both"],
)
def test_hidden_sizes_stay_those_that_the_parts_allow(settings, unit):
    config = size_for_budget(compose(["task=adding", "cell=lstm", *settings, f"model.parameter_budget={BUDGET}"]))
    size = config.model.hidden_size
    assert size % unit == 0
    assert parameters_of(config) <= BUDGET < parameters_of(with_hidden_size(config, size + unit))


def test_parts_that_fit_at_no_size_are_refused_for_their_own_reason():
    merged = ["model.block=residual", "model.bidirectional=true", "model.readout=last"]
    with pytest.raises(ConfigError, match="readout=last has no meaning for merged directions"):
        size_for_budget(small("adding", "model.parameter_budget=500", *merged))


def test_a_budget_that_nothing_fits_into_is_refused_with_the_smallest(tmp_path):
    config = small("adding", "model.parameter_budget=5")
    least = parameters_of(with_hidden_size(config, 1))
    with pytest.raises(ConfigError, match=f"parameter_budget is 5, but a hidden size of 1 has {least} parameters"):
        run(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()
