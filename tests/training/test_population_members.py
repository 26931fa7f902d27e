"""A member of a population is the run that it would have been alone: every cell, tasks of every kind."""

import pytest
from battery import representative
from population_runs import ROUNDING, assert_ran_about_as, assert_ran_as, populate
from small_runs import run, small

from lstmlab import train_population
from lstmlab.cells import cell_entry, cell_names
from lstmlab.config import ConfigError
from lstmlab.settings import settings_of
from lstmlab.tracking.files import read_metrics, read_summary

# char_lm carries its state from batch to batch, stocks has patience, moving_mnist is for convolutions.
SPATIAL = {name: "moving_mnist" for name in cell_names() if settings_of(cell_entry(name).cls)["map"].default == "conv"}
TASK_OF = {"lstm": "char_lm", "gru": "stocks"} | SPATIAL
PAIRS = [
    pytest.param((cell, TASK_OF.get(cell, "adding")), marks=() if representative(cell) else pytest.mark.slow)
    for cell in cell_names()
]
MORE = {
    "stocks": ["training.patience=1", "training.steps=8", "dropout.layer=0.3"],
    "char_lm": ["dropout.recurrent=0.2", "training.illustrate_every=1"],
}


@pytest.fixture(scope="module", params=PAIRS, ids=" ".join)
def alone(request, tmp_path_factory):
    """Two runs one after the other, of unlike seed and learning rate."""
    cell, task = request.param
    settings = [f"cell={cell}", *MORE.get(task, [])]
    configs = [
        small(task, *settings, "seed=1", "optimizer.learning_rate=1e-2"),
        small(task, *settings, "seed=2", "optimizer.learning_rate=0"),
    ]
    directory = tmp_path_factory.mktemp(f"{cell}_{task}")
    for index, config in enumerate(configs):
        run(config, directory / str(index))
    return configs, directory


def test_in_threads_a_member_has_the_bits_of_a_run_alone(alone, tmp_path):
    configs, directory = alone
    outcomes = populate(configs, tmp_path, strategy="threads", workers=2)
    assert [outcome.error for outcome in outcomes] == [None, None]
    for index in range(2):
        assert_ran_as(tmp_path / str(index), directory / str(index))
        assert outcomes[index].summary == read_summary(tmp_path / str(index))
        assert outcomes[index].summary["members"] == 1


def test_as_lanes_members_agree_with_runs_alone_within_rounding(alone, tmp_path):
    configs, directory = alone
    outcomes = populate(configs, tmp_path, strategy="vmap", max_members=2)
    assert [outcome.error for outcome in outcomes] == [None, None]
    for index in range(2):
        assert_ran_about_as(tmp_path / str(index), directory / str(index))
    # Neither member has the results of the other: that would agree with neither run alone, but say so.
    first, second = (read_metrics(tmp_path / str(index))[0]["train/loss"] for index in range(2))
    assert first != pytest.approx(second, **ROUNDING)


def test_the_summary_says_how_many_shared_the_program(tmp_path):
    configs = [small("adding", "cell=rnn", f"seed={seed}") for seed in range(3)]
    populate(configs, tmp_path, strategy="vmap", max_members=2, workers=1)
    assert [read_summary(tmp_path / str(index))["members"] for index in range(3)] == [2, 2, 1]


def test_a_population_of_one_is_a_run_alone_whatever_the_strategy(tmp_path):
    config = small("adding", "cell=rnn")
    run(config, tmp_path / "alone")
    for strategy in ("auto", "threads", "vmap"):
        populate([config], tmp_path / strategy, strategy=strategy)
        assert_ran_as(tmp_path / strategy / "0", tmp_path / "alone")


def test_no_runs_are_no_outcomes(tmp_path):
    assert populate([], tmp_path) == []


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"strategy": "pmap"}, "strategy is 'pmap', but must be one of: auto, threads, vmap"),
        ({"workers": 0}, "workers is 0, but must be at least 1"),
        ({"max_members": 0}, "max_members is 0, but must be at least 1"),
    ],
)
def test_a_wrong_argument_is_one_line_before_anything_runs(settings, told, tmp_path):
    with pytest.raises(ConfigError) as error:
        populate([small("adding")], tmp_path / "runs", **settings)
    assert str(error.value) == told
    assert not list(tmp_path.iterdir())


def test_every_run_needs_a_directory_of_its_own(tmp_path):
    configs = [small("adding"), small("adding", "seed=1")]
    with pytest.raises(ConfigError, match="2 configurations need as many directories, but 1 were given"):
        train_population(configs, [tmp_path], progress=False)
    with pytest.raises(ConfigError, match="two runs would share the directory"):
        train_population(configs, [tmp_path, tmp_path], progress=False)
