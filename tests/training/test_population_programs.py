"""Which runs share a program: those that differ in traced keys alone, and it is compiled once."""

import pytest
from population_runs import assert_ran_as, compilations, count_programs, populate
from small_runs import run, small

from lstmlab.config import traced_keys
from lstmlab.tracking.files import read_metrics
from lstmlab.training.compiled import program_key

# Traced keys at values that keep their mechanisms on. adamw and sgd use weight decay, sgd momentum.
BASE = ["optimizer=sgd", "model.layers=2"]
ON = dict.fromkeys(traced_keys(), ("0.1", "0.4")) | {"seed": ("1", "2"), "init.forget_bias": ("0", "2")}
STATIC = [
    "cell=gru", "task.length=7", "model.hidden_size=9", "model.layers=1", "training.batch_size=5", "optimizer=adam",
    "schedule=cosine", "training.steps=6", "training.log_every=1", "init.recurrent=zeros", "model.dtype=bfloat16",
    "training.patience=3", "optimizer.beta1=0.8",
]  # fmt: skip


def with_all(position, *more):
    """A run in which every traced mechanism is on, with the first or the second value of every traced key."""
    values = [f"{key}={values[position]}" for key, values in ON.items()]
    return small("adding", *BASE, *values, *more)


@pytest.mark.parametrize("strategy", ["threads", "vmap"])
def test_members_may_differ_in_every_traced_key_and_share_one_program(strategy, tmp_path, monkeypatch):
    configs = [with_all(0), *(with_all(0, f"{key}={values[1]}") for key, values in ON.items())]
    made = count_programs(monkeypatch)
    outcomes = populate(configs, tmp_path, strategy=strategy, max_members=50, workers=1)
    assert [outcome.error for outcome in outcomes] == [None] * len(configs)
    (programs,) = made
    for function in ("init", "advance", "validate"):
        assert compilations(programs, function) == 1
    # And every key reached its member: no two of them ended alike.
    losses = [read_metrics(tmp_path / str(index))[-1]["train/loss"] for index in range(len(configs))]
    assert len(set(losses)) == len(losses)


@pytest.mark.parametrize("key", traced_keys())
def test_a_traced_key_is_no_part_of_the_program(key):
    assert program_key(with_all(0)) == program_key(with_all(0, f"{key}={ON[key][1]}"))


@pytest.mark.parametrize("change", STATIC)
def test_a_static_key_makes_another_program(change):
    assert program_key(with_all(0)) != program_key(with_all(0, change))


@pytest.mark.parametrize("key", ["dropout.layer", "dropout.zoneout", "optimizer.clip_norm", "optimizer.momentum"])
def test_a_mechanism_that_is_off_makes_another_program(key):
    assert program_key(with_all(0)) != program_key(with_all(0, f"{key}=0"))


@pytest.mark.parametrize("change", ["name=other", "resume=true", "wandb.project=other", "wandb.tags=[a]"])
def test_where_results_go_is_no_part_of_the_program(change):
    assert program_key(with_all(0)) == program_key(with_all(0, change))


def test_unlike_runs_in_any_order_each_find_their_program(tmp_path, monkeypatch):
    settings = [["dropout.layer=0.5"], [], ["cell=gru"], ["dropout.layer=0.2", "seed=3"], ["cell=gru", "seed=5"]]
    configs = [small("adding", "cell=rnn", *more) for more in settings]
    made = count_programs(monkeypatch)
    outcomes = populate(configs, tmp_path, strategy="threads")
    assert len(made) == 3
    assert [o.directory.name for o in outcomes] == ["0", "1", "2", "3", "4"]
    assert [o.trained.config for o in outcomes] == configs
    assert [o.summary["cell"] for o in outcomes] == ["rnn", "rnn", "gru", "rnn", "gru"]


def test_many_members_on_many_workers_keep_their_bits(tmp_path, monkeypatch):
    configs = [small("adding", "cell=rnn", f"seed={seed}", "training.log_every=1") for seed in range(9)]
    made = count_programs(monkeypatch)
    populate(configs, tmp_path, strategy="threads", workers=4)
    (programs,) = made
    assert compilations(programs, "advance") == 1
    for index in (0, 4, 8):
        run(configs[index], tmp_path / "alone")
        assert_ran_as(tmp_path / str(index), tmp_path / "alone")
