"""Finding runs: every run once, in order, with its configuration, result or reason."""

import os

import pytest

from lstmlab.study.runs import find_runs, read_run, read_runs
from lstmlab.tracking.files import RunError


def test_a_run_counts_once_however_often_it_is_named(make_run, tmp_path):
    run = make_run("sweep/0")
    assert find_runs([run, tmp_path, tmp_path / "sweep" / ".." / "sweep"]) == [run]


def test_runs_of_a_sweep_come_in_the_order_of_their_numbers(make_run, tmp_path):
    for number in (10, 2, 1):
        make_run(f"{number}_lstm")
    assert [run.name for run in find_runs([tmp_path])] == ["1_lstm", "2_lstm", "10_lstm"]


@pytest.mark.parametrize("place", [".hydra", "wandb/offline-run/files"])
def test_what_hydra_and_wandb_keep_is_no_run(place, make_run, tmp_path):
    run = make_run("a")
    (run / place).mkdir(parents=True)
    (run / place / "config.yaml").write_text("cell: lstm\n")
    assert find_runs([tmp_path]) == [run]


def test_the_configuration_keeps_its_types(make_run):
    config = read_run(
        make_run("a", "optimizer.learning_rate=1e-5", "model.bidirectional=true", "wandb.tags=[x,y]")
    ).config
    assert config["optimizer.learning_rate"] == 1e-5
    assert config["model.bidirectional"] is True
    assert config["model.hidden_size"] == 128
    assert config["name"] is None


def test_a_number_without_a_point_is_a_number(tmp_path):
    (tmp_path / "config.yaml").write_text("cell: lstm\ntask: {name: adding}\noptimizer: {learning_rate: 1e-3}\n")
    run = read_run(tmp_path)
    assert (run.cell, run.task, run.config["optimizer.learning_rate"]) == ("lstm", "adding", 0.001)


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        ({"status": "failed"}, "failed"),
        ({"status": "failed", "error": "KeyboardInterrupt"}, "unfinished"),
        ({"status": "running"}, "unfinished"),
        ({"value": float("nan")}, "failed"),
        ({"value": 0.5}, "finished"),
    ],
    ids=str,
)
def test_how_a_run_ended(ending, status, make_run):
    assert read_run(make_run("a", **ending)).status == status


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("config.yaml", "cell: [", "config.yaml cannot be read: not valid YAML"),
        ("config.yaml", "", "config.yaml: not the configuration of a run: it has no cell.name"),
        ("summary.json", "{", "summary.json: not valid JSON"),
        ("summary.json", '{"status": "finished"}', "summary.json: a finished run without metric and value"),
    ],
)
def test_a_garbled_file_is_named(file, text, told, make_run, tmp_path):
    (make_run("a") / file).write_text(text)
    with pytest.raises(RunError, match=told):
        read_runs([tmp_path])


def test_the_time_of_a_run_is_that_of_its_summary(make_run):
    run = make_run("a")
    os.utime(run / "summary.json", (5, 5))
    assert read_run(run).written == 5
