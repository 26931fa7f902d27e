"""``lstmlab -m`` as a population: few programs, many jobs, and each job's failure its own."""

import errno

import pytest
from hydra.core.plugins import Plugins
from population_runs import assert_ran_as, compilations, count_programs
from small_runs import command, overrides, run, small

from lstmlab.launch.job import TRACEBACK_FILE
from lstmlab.tracking.files import RunFiles, read_summary

ONE_STEP = ["training.steps=1", "training.log_every=1", "training.eval_every=1"]
RNN = ["cell=rnn", "hydra.sweep.dir=sweep", "hydra.sweep.subdir=${hydra.job.num}"]


def breaks(monkeypatch, seed, error):
    """Rows of the run in this directory cannot be written."""
    works = RunFiles.log

    def breaking(self, *args):
        if self.directory.name == seed:
            raise error
        return works(self, *args)

    monkeypatch.setattr(RunFiles, "log", breaking)


def test_a_sweep_over_static_and_traced_keys_lands_in_the_right_programs(folder, monkeypatch):
    made = count_programs(monkeypatch)
    keys = ["cell=rnn,gru", "seed=range(4)", "optimizer.learning_rate=1e-3,3e-3"]
    swept = command("-m", *keys, *overrides("adding", *ONE_STEP), *RNN[1:])
    assert swept.code == 0, swept.err
    assert [programs.config.cell.name for programs in made] == ["rnn", "gru"]
    assert [compilations(programs, "advance") for programs in made] == [1, 1]
    assert len(list(folder.glob("sweep/*/summary.json"))) == 16
    config = small("adding", *ONE_STEP, "cell=gru", "seed=2", "optimizer.learning_rate=3e-3")
    run(config, folder / "alone")
    assert_ran_as(folder / "sweep" / "13", folder / "alone")


def test_every_finished_run_has_its_line_and_the_table_follows(folder):
    swept = command("-m", "seed=3,4", *overrides("adding"), *RNN)
    lines = swept.out.splitlines()
    assert sorted(line.split("] ")[1].split(" · ")[0] for line in lines[:2]) == ["0: seed=3", "1: seed=4"]
    assert [line.split("]")[0] for line in lines[:2]] == ["[1/2", "[2/2"]
    assert lines[2] == "Comparison of sweep"


@pytest.mark.parametrize("strategy", ["threads", "vmap"])
def test_the_strategy_can_be_chosen(strategy, folder):
    settings = [f"hydra.launcher.strategy={strategy}", "hydra.launcher.max_members=2", "hydra.launcher.workers=1"]
    assert command("-m", "seed=0,1,2", *overrides("adding"), *RNN, *settings).code == 0
    members = [read_summary(folder / "sweep" / str(index))["members"] for index in range(3)]
    assert members == ([1, 1, 1] if strategy == "threads" else [2, 2, 1])


@pytest.mark.parametrize("jobs", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_one_faulty_job_of_many_costs_nobody_else_a_result(jobs, folder, monkeypatch):
    # Such as a sweeper that looks for good values might ask for: no check before the sweep can know.
    # The class that Hydra makes sweepers of: its search for plugins loads modules anew.
    sweeper = Plugins.instance().class_name_to_class["hydra._internal.core_plugins.basic_sweeper.BasicSweeper"]
    split = sweeper.split_arguments

    def with_a_faulty_one(overrides, max_batch_size):
        (batch,) = split(overrides, max_batch_size)
        return [[*batch[:7], [*batch[7], "cell=conv_lstm"], *batch[7:]]]

    monkeypatch.setattr(sweeper, "split_arguments", staticmethod(with_a_faulty_one))
    swept = command("-m", f"seed=range({jobs - 1})", *overrides("adding", *ONE_STEP), *RNN)
    assert swept.code == 1
    finished = {int(path.parent.name) for path in folder.glob("sweep/*/model.npz")}
    assert finished == set(range(jobs)) - {7}
    (line,) = [line for line in swept.err.splitlines() if line.startswith("lstmlab: ")]
    assert line.startswith("lstmlab: job 7 failed: cell conv_lstm with cell.map=conv needs a task with spatial inputs")


def test_an_error_that_nobody_foresaw_keeps_its_traceback_in_its_directory(folder, monkeypatch):
    breaks(monkeypatch, "1", KeyError("surprise"))
    swept = command("-m", "seed=range(3)", *overrides("adding"), *RNN)
    assert swept.code == 1
    (line,) = [line for line in swept.err.splitlines() if line.startswith("lstmlab: ")]
    assert line == f"lstmlab: job 1 failed: KeyError: 'surprise' (see sweep/1/{TRACEBACK_FILE})"
    assert "Traceback (most recent call last)" in (folder / "sweep" / "1" / TRACEBACK_FILE).read_text()
    assert sorted(path.parent.name for path in folder.glob("sweep/*/model.npz")) == ["0", "2"]


def test_a_full_disk_is_one_line(folder, monkeypatch):
    breaks(monkeypatch, "0", OSError(errno.ENOSPC, "No space left on device"))
    swept = command("-m", "seed=range(3)", *overrides("adding"), *RNN)
    assert swept.code == 1
    told = "cannot write to sweep/0: no space is left on the disk; what was written before is kept: make room, then"
    assert f"lstmlab: job 0 failed: {told} go on with resume=true" in swept.err.splitlines()
    assert sorted(path.parent.name for path in folder.glob("sweep/*/model.npz")) == ["1", "2"]


def test_a_file_in_the_place_of_a_jobs_directory_is_that_jobs_error(folder):
    (folder / "sweep").mkdir()
    (folder / "sweep" / "1").touch()
    swept = command("-m", "seed=range(3)", *overrides("adding"), *RNN)
    assert swept.code == 1
    (line,) = [line for line in swept.err.splitlines() if line.startswith("lstmlab: ")]
    assert line.startswith("lstmlab: job 1 failed: ")
    assert "sweep/1" in line
    assert sorted(path.parent.name for path in folder.glob("sweep/*/model.npz")) == ["0", "2"]
