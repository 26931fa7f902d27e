"""What Hydra gets back from a job, and what a job tells training."""

import math
from types import SimpleNamespace

import pytest
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode

from lstmlab.config import compose_tree
from lstmlab.data.download import DataError
from lstmlab.launch import job
from lstmlab.study.runs import read_runs


@pytest.fixture
def in_hydra(monkeypatch, folder):
    """Pretends that Hydra calls; ``calls`` are the arguments that ``train`` was given."""
    calls = []
    summary = {
        "metric": "mse", "goal": "min", "validation": {"mse": 0.25}, "value": 0.31,
        "test": {"mse": 0.31},
        "baselines": {"two": 2.0, "one": 1.0},
    }  # fmt: skip

    def train(config, directory, *, group):
        calls.append((config, directory, group))
        if config.seed == 13:
            raise DataError("unlucky")
        if config.seed == 14:
            raise KeyboardInterrupt
        return SimpleNamespace(summary=summary)

    def mode(kind):
        hydra = SimpleNamespace(
            runtime=SimpleNamespace(output_dir="multirun/sweep 1/0"), mode=kind,
            sweep=SimpleNamespace(dir="multirun/sweep 1"), run=SimpleNamespace(dir="outputs/1"),
            job=SimpleNamespace(num=0, chdir=None),
        )  # fmt: skip
        monkeypatch.setattr(HydraConfig, "get", lambda: hydra)

    monkeypatch.setattr(job, "train", train)
    monkeypatch.setattr(job, "failures", {})
    return SimpleNamespace(calls=calls, summary=summary, mode=mode)


def test_the_objective_is_the_validation_metric_and_smaller_is_better(in_hydra):
    in_hydra.mode(RunMode.RUN)
    assert job.run_job(compose_tree(["task=adding"])) == 0.25
    in_hydra.summary["goal"] = "max"
    assert job.run_job(compose_tree(["task=adding"])) == -0.25


def test_a_single_run_ends_with_its_result_beside_the_best_baseline_and_where_it_lies(in_hydra, capsys):
    in_hydra.mode(RunMode.RUN)
    job.run_job(compose_tree(["task=adding"]))
    assert capsys.readouterr().out == "test mse 0.31 · baseline 1 (one) · outputs/1\n"
    in_hydra.summary["goal"] = "max"
    job.run_job(compose_tree(["task=adding"]))
    assert "baseline 2 (two)" in capsys.readouterr().out
    in_hydra.mode(RunMode.MULTIRUN)
    job.run_job(compose_tree(["task=adding"]))
    assert capsys.readouterr().out == ""


def test_ctrl_c_says_which_key_goes_on(in_hydra):
    for mode, key in ((RunMode.RUN, "hydra.run.dir=outputs/1"), (RunMode.MULTIRUN, "hydra.sweep.dir=multirun/sweep 1")):
        in_hydra.mode(mode)
        with pytest.raises(KeyboardInterrupt, match=key):
            job.run_job(compose_tree(["task=adding", "seed=14"]))


def test_a_run_does_not_overwrite_another(in_hydra, folder, capsys):
    in_hydra.mode(RunMode.RUN)
    there = folder / "multirun" / "sweep 1" / "0"
    there.mkdir(parents=True)
    (there / "config.yaml").write_text("seed: 1\n")
    with pytest.raises(SystemExit):
        job.run_job(compose_tree(["task=adding"]))
    assert "holds a run already: add resume=true to go on with it, or name another" in capsys.readouterr().err
    assert not in_hydra.calls


def test_runs_of_a_sweep_are_a_group_and_a_single_run_is_none(in_hydra):
    in_hydra.mode(RunMode.MULTIRUN)
    job.run_job(compose_tree(["task=adding"]))
    in_hydra.mode(RunMode.RUN)
    job.run_job(compose_tree(["task=adding"]))
    assert [group for _, _, group in in_hydra.calls] == ["sweep 1", None]
    assert str(in_hydra.calls[0][1]) == "multirun/sweep 1/0"


def test_a_failed_job_of_a_sweep_is_the_worst_of_all_and_noted(in_hydra, capsys):
    in_hydra.mode(RunMode.MULTIRUN)
    assert job.run_job(compose_tree(["task=adding", "seed=13"])) == math.inf
    assert list(job.failures.values()) == ["unlucky"]
    assert capsys.readouterr().err == "lstmlab: job 0 failed: unlucky\n"
    # It failed before it had a directory: a comparison counts it all the same.
    (run,) = read_runs(["multirun"])
    assert (run.cell, run.task, run.status, run.reason) == ("lstm", "adding", "failed", "unlucky")


def test_a_failed_single_run_leaves_with_its_message(in_hydra, capsys):
    in_hydra.mode(RunMode.RUN)
    with pytest.raises(SystemExit) as left:
        job.run_job(compose_tree(["task=adding", "seed=13"]))
    assert left.value.code == 1
    assert capsys.readouterr().err == "lstmlab: unlucky\n"
