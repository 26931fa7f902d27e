"""What a run tells W&B: the same numbers as its files. And a W&B that fails stops no run."""

import logging

import pytest
import wandb
from small_runs import run, small, untimed
from wandb_reader import read_history, read_run, wandb_files

from lstmlab.config import to_tree
from lstmlab.tracking.files import read_metrics, read_summary


@pytest.fixture(scope="module")
def offline(tmp_path_factory):
    """A run with samples, so that W&B has more than numbers."""
    directory = tmp_path_factory.mktemp("offline")
    settings = ["wandb.mode=offline", "wandb.project=bench", "wandb.tags=[tiny,text]", "training.steps=6"]
    return run(small("char_lm", *settings), directory, group="sweep 1")


def test_the_offline_file_holds_every_logged_number(offline):
    numbers = [row for row in read_history(offline.directory) if "train/loss" in row]
    assert numbers == read_metrics(offline.directory)
    assert [row["step"] for row in numbers] == [2, 4, 6]
    assert all("validation/bpc" in row for row in numbers)


def test_it_holds_the_configuration_and_the_summary(offline):
    told = read_run(offline.directory)
    assert {k: v for k, v in told["config"].items() if k != "_wandb"} == to_tree(offline.config)
    summary = read_summary(offline.directory)
    for key in ("cell", "task", "seed", "parameters", "backend", "value", "steps"):
        assert told["summary"][key] == summary[key]
    assert told["summary"]["test"] == summary["test"]
    assert told["exit_code"] == 0


def test_it_holds_who_the_run_is(offline):
    told = read_run(offline.directory)
    assert (told["project"], told["group"]) == ("bench", "sweep 1")
    assert told["name"] == "lstm · char_lm · seed 0"
    assert sorted(told["tags"]) == ["text", "tiny"]


def test_it_holds_what_the_model_wrote(offline):
    samples = [row["sample"] for row in read_history(offline.directory) if "sample" in row]
    assert len(samples) == 1
    assert samples[0]["_type"] == "html-file"


def test_a_configured_group_wins_over_the_name_of_the_sweep(tmp_path):
    config = small("adding", "wandb.mode=offline", "wandb.group=mine", "name='a run'", "training.steps=2")
    run(config, tmp_path, group="sweep 1")
    told = read_run(tmp_path)
    assert (told["group"], told["name"]) == ("mine", "a run")


def test_a_failing_start_of_wandb_is_one_warning(tmp_path, monkeypatch, caplog):
    def fails(**settings):
        raise RuntimeError("no space left on the server")

    monkeypatch.setattr(wandb, "init", fails)
    with caplog.at_level(logging.WARNING, logger="lstmlab.tracking"):
        trained = run(small("adding", "wandb.mode=offline"), tmp_path)
    assert trained.summary["status"] == "finished"
    assert [row["step"] for row in read_metrics(tmp_path)] == [2, 4]
    (warning,) = [r.message for r in caplog.records if r.name == "lstmlab.tracking"]
    assert "no space left on the server" in warning
    assert "W&B" in warning


def test_a_wandb_that_fails_in_the_middle_stops_no_run(tmp_path, monkeypatch):
    def fails(self, *args, **kwargs):
        raise OSError("broken pipe")

    monkeypatch.setattr(wandb.sdk.wandb_run.Run, "log", fails)
    trained = run(small("adding", "wandb.mode=offline"), tmp_path)
    assert trained.summary["status"] == "finished"
    assert [row["step"] for row in read_metrics(tmp_path)] == [2, 4]


def test_disabled_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(wandb, "init", lambda **settings: pytest.fail("wandb was started"))
    run(small("adding", "wandb.mode=disabled"), tmp_path)
    assert not (tmp_path / "wandb").exists()
    assert not (tmp_path / "wandb_id.txt").exists()


def test_a_resumed_run_goes_on_under_its_identifier(tmp_path, monkeypatch):
    from lstmlab.training.recorder import Recorder

    finish = Recorder.finish
    monkeypatch.setattr(Recorder, "finish", lambda self, *args: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        run(small("adding", "wandb.mode=offline"), tmp_path)
    interrupted = read_run(tmp_path)
    assert interrupted["exit_code"] != 0
    monkeypatch.setattr(Recorder, "finish", finish)
    run(small("adding", "wandb.mode=offline", "training.steps=4", "resume=true"), tmp_path)
    assert len(wandb_files(tmp_path)) == 2
    resumed = read_run(tmp_path)
    assert resumed["id"] == interrupted["id"]
    assert resumed["exit_code"] == 0
    assert untimed(read_history(tmp_path)) == untimed(read_metrics(tmp_path))
