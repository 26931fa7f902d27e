"""Members end each in their own way: early, diverged, with a full disk. The others do not notice."""

import errno
import math
import threading

import numpy as np
import pytest
from population_runs import assert_ran_about_as, assert_ran_as, compilations, count_programs, populate
from small_runs import assert_same_bits, parameters, run, small, untimed
from wandb_reader import read_run

from lstmlab import RunFailed
from lstmlab.config import ConfigError
from lstmlab.tracking.disk import DiskFull
from lstmlab.tracking.files import RunFiles, read_metrics, read_summary
from lstmlab.training import Hooks, functions
from lstmlab.training.compiled import CompiledRun

PATIENT = ["cell=rnn", "training.steps=8", "training.patience=1"]
STANDING, MOVING = "optimizer.learning_rate=0", "optimizer.learning_rate=1e-2"
UNCLIPPED = ["cell=rnn", "optimizer=sgd", "optimizer.clip_norm=0", "training.steps=6"]
STRATEGIES = [("threads", {}), ("vmap", {"max_members": 8, "workers": 1})]
each_strategy = pytest.mark.parametrize(("strategy", "settings"), STRATEGIES, ids=["threads", "vmap"])


def sgd(seed, rate):
    return small("adding", *UNCLIPPED, f"seed={seed}", f"optimizer.learning_rate={rate}")


def refuse(monkeypatch, owner, method, where, error):
    """The method raises for a run in a directory of this name."""
    works = getattr(owner, method)

    def refusing(self, *args):
        if self.directory.name == where:
            raise error
        return works(self, *args)

    monkeypatch.setattr(owner, method, refusing)


@pytest.fixture(scope="module")
def patient(tmp_path_factory):
    """Five runs one after the other, of which every other one stands still."""
    rates = [STANDING, MOVING, STANDING, MOVING, STANDING]
    configs = [small("adding", *PATIENT, rate, f"seed={seed}") for seed, rate in enumerate(rates)]
    directory = tmp_path_factory.mktemp("patient")
    for index, config in enumerate(configs):
        run(config, directory / str(index))
    return configs, directory


@each_strategy
def test_patience_is_every_members_own(strategy, settings, patient, tmp_path, monkeypatch):
    configs, alone = patient
    made = count_programs(monkeypatch)
    populate(configs, tmp_path, strategy=strategy, **settings)
    summaries = [read_summary(tmp_path / str(index)) for index in range(5)]
    assert [summary["steps"] for summary in summaries] == [4, 8, 4, 8, 4]
    # Three of five members end: two are left, and the program is compiled again for two.
    (programs,) = made
    assert compilations(programs, "advance") == (2 if strategy == "vmap" else 1)
    if strategy == "vmap":
        assert [summary["members"] for summary in summaries] == [5, 2, 5, 2, 5]
    check = assert_ran_as if strategy == "threads" else assert_ran_about_as
    for index in range(5):
        check(tmp_path / str(index), alone / str(index))


@each_strategy
def test_a_member_that_diverges_ends_and_leaves_the_others_their_bits(strategy, settings, tmp_path):
    well = [sgd(seed, 0.01) for seed in range(4)]
    populate(well, tmp_path / "well", strategy=strategy, **settings)
    outcomes = populate([*well[:2], sgd(2, 1e30), well[3]], tmp_path / "ill", strategy=strategy, **settings)
    assert isinstance(outcomes[2].error, RunFailed)
    assert outcomes[2].summary is None
    told = read_summary(tmp_path / "ill" / "2")
    assert told["status"] == "failed"
    assert "stopped being finite at step 2" in told["error"]
    rows = read_metrics(tmp_path / "ill" / "2")
    assert len(rows) == 1
    assert not math.isfinite(rows[0]["train/loss"])
    for index in (0, 1, 3):
        assert outcomes[index].error is None
        assert_same_bits(parameters(tmp_path / "ill" / str(index)), parameters(tmp_path / "well" / str(index)))
        found, wanted = (read_metrics(tmp_path / name / str(index)) for name in ("ill", "well"))
        assert untimed(found) == untimed(wanted)


def test_diverged_members_are_left_out_once_half_have_gone(tmp_path, monkeypatch):
    rates = [1e30, 0.01, 1e30, 1e30]
    configs = [sgd(seed, rate) for seed, rate in enumerate(rates)]
    sizes = []
    works = CompiledRun.call

    def noted(self, function, *args, size, **how):
        if function is functions.advance:
            sizes.append(size)
        return works(self, function, *args, size=size, **how)

    monkeypatch.setattr(CompiledRun, "call", noted)
    outcomes = populate(configs, tmp_path, strategy="vmap", max_members=4, workers=1)
    assert [outcome.error is None for outcome in outcomes] == [False, True, False, False]
    assert sizes == [4, 1, 1]
    run(configs[1], tmp_path / "alone")
    assert_ran_about_as(tmp_path / "1", tmp_path / "alone")


def test_when_all_diverge_all_say_so(tmp_path):
    outcomes = populate([sgd(seed, 1e30) for seed in range(4)], tmp_path, strategy="vmap", max_members=4)
    assert all(isinstance(outcome.error, RunFailed) for outcome in outcomes)


@each_strategy
@pytest.mark.parametrize("method", ["log", "_end"], ids=["rows", "summary"])
def test_a_full_disk_stops_its_own_run_only(strategy, settings, method, tmp_path, monkeypatch):
    full = OSError(errno.ENOSPC, "No space left on device")
    refuse(monkeypatch, RunFiles, method, "1", full)
    outcomes = populate([sgd(seed, 0.01) for seed in range(4)], tmp_path, strategy=strategy, **settings)
    assert [outcome.error is None for outcome in outcomes] == [True, False, True, True]
    assert isinstance(outcomes[1].error, DiskFull)
    assert f"cannot write to {tmp_path / '1'}: no space is left on the disk" in str(outcomes[1].error)
    assert [read_summary(tmp_path / str(index))["status"] for index in (0, 2, 3)] == ["finished"] * 3


def test_a_disk_that_takes_nothing_at_all_stops_its_own_run_only(tmp_path, monkeypatch):
    for method in ("log", "_end"):
        refuse(monkeypatch, RunFiles, method, "1", OSError(errno.ENOSPC, "No space left on device"))
    outcomes = populate([sgd(seed, 0.01) for seed in range(3)], tmp_path)
    assert [outcome.error is None for outcome in outcomes] == [True, False, True]


def test_a_file_in_the_place_of_a_directory_stops_its_own_run_only(tmp_path):
    (tmp_path / "1").touch()
    outcomes = populate([sgd(seed, 0.01) for seed in range(3)], tmp_path)
    assert isinstance(outcomes[1].error, FileExistsError)
    assert [outcome.error is None for outcome in outcomes] == [True, False, True]


def test_a_configuration_that_does_not_fit_stops_its_own_program_only(tmp_path):
    outcomes = populate([sgd(0, 0.01), small("adding", "cell=conv_lstm"), sgd(1, 0.01)], tmp_path)
    assert isinstance(outcomes[1].error, ConfigError)
    assert "needs a task with spatial inputs" in str(outcomes[1].error)
    assert [outcome.error is None for outcome in outcomes] == [True, False, True]
    assert not (tmp_path / "1").exists()


def test_a_program_that_fails_stops_the_members_of_its_batch_only(tmp_path, monkeypatch):
    works = CompiledRun.call

    def breaking(self, function, *args, **how):
        if self.config.cell.name == "gru" and function is functions.advance:
            raise MemoryError("out of device memory")
        return works(self, function, *args, **how)

    monkeypatch.setattr(CompiledRun, "call", breaking)
    configs = [sgd(0, 0.01), small("adding", "cell=gru"), small("adding", "cell=gru", "seed=1")]
    outcomes = populate(configs, tmp_path, strategy="vmap", max_members=2)
    assert [type(outcome.error) for outcome in outcomes] == [type(None), MemoryError, MemoryError]
    assert read_summary(tmp_path / "2")["error"] == "MemoryError: out of device memory"


def test_hooks_are_called_for_every_member_in_the_callers_thread(tmp_path):
    calls, threads = [], set()

    class Noted(Hooks):
        def on_start(self, index):
            threads.add(threading.current_thread())
            calls.append(("on_start", index))

        def on_advance(self, index, steps):
            calls.append(("on_advance", index, steps))

        def on_end(self, index, outcome):
            threads.add(threading.current_thread())
            calls.append(("on_end", index, outcome.error is None))

    populate([sgd(0, 0.01), sgd(1, 1e30)], tmp_path, hooks=Noted())
    assert threads == {threading.current_thread()}
    assert [note for note in calls if note[1] == 0] == [
        ("on_start", 0), ("on_advance", 0, 0), *[("on_advance", 0, 2)] * 3, ("on_end", 0, True)
    ]  # fmt: skip
    assert calls[-1][0] == "on_end"
    assert ("on_end", 1, False) in calls


def test_every_member_is_a_wandb_run_of_its_own_in_the_group_of_the_sweep(tmp_path):
    configs = [small("adding", "cell=rnn", f"seed={seed}", "wandb.mode=offline") for seed in range(3)]
    populate(configs, tmp_path, group="sweep 7")
    told = [read_run(tmp_path / str(index)) for index in range(3)]
    assert len({run["id"] for run in told}) == 3
    assert {run["group"] for run in told} == {"sweep 7"}
    assert [run["name"] for run in told] == [f"rnn · adding · seed {seed}" for seed in range(3)]
    assert [run["config"]["seed"] for run in told] == [0, 1, 2]
    assert [run["exit_code"] for run in told] == [0, 0, 0]
    values = [read_summary(tmp_path / str(index))["value"] for index in range(3)]
    assert [run["summary"]["value"] for run in told] == values
    assert len(np.unique(values)) == 3
