"""What a run leaves in its directory, when it stops, and which model it keeps."""

import dataclasses
import json
import math

import jax
import numpy as np
import pytest
from small_runs import run, small

from lstmlab import RunFailed, load
from lstmlab.config import ConfigError, read_config
from lstmlab.tracking.files import RunError, read_metrics, read_summary, series
from lstmlab.training import functions


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Seven steps in calls of three: the last call is shorter. The rate is so large that the best model comes early."""
    directory = tmp_path_factory.mktemp("finished")
    settings = ["training.steps=7", "training.log_every=3", "training.eval_every=3", "optimizer.learning_rate=3"]
    return run(small("adding", *settings), directory)


def test_every_logged_step_is_a_row_and_the_last_step_is_among_them(finished):
    rows = read_metrics(finished.directory)
    assert [row["step"] for row in rows] == [3, 6, 7]
    assert series(rows, "validation/mse")[0] == [3, 6, 7]
    for row in rows:
        assert all(math.isfinite(value) for value in row.values())
        assert row["train/learning_rate"] == 3
        assert row["time/steps_per_second"] > 0


def test_evaluations_may_be_rarer_than_rows(tmp_path):
    config = small("adding", "training.steps=5", "training.log_every=1", "training.eval_every=2")
    rows = read_metrics(run(config, tmp_path).directory)
    assert [row["step"] for row in rows] == [1, 2, 3, 4, 5]
    # The last step is always evaluated: its model may be the best.
    assert series(rows, "validation/mse")[0] == [2, 4, 5]


def test_the_summary_says_what_a_reader_asks(finished):
    summary = read_summary(finished.directory)
    assert summary == json.loads(json.dumps(finished.summary))
    assert summary["status"] == "finished"
    assert (summary["cell"], summary["task"], summary["seed"]) == ("lstm", "adding", 0)
    assert summary["metric"] == "mse"
    assert summary["value"] == summary["test"]["mse"]
    assert summary["baselines"] == {"constant 1": pytest.approx(1 / 6)}
    assert summary["beats_baseline"] == (summary["value"] < 1 / 6)
    assert summary["solved"] is False
    # Four gates of 8 units over 2 inputs, 8 states and a bias; a head of 8 weights and a bias.
    assert summary["parameters"] == 4 * 8 * (2 + 8 + 1) + 9
    assert summary["state_size"] == 2 * 8
    assert summary["steps"] == 7
    assert summary["backend"] in ("scan", "fused")
    assert {"lstmlab", "jax", "flax", "python"} <= summary["versions"].keys()
    assert {"device", "git_revision", "dtype"} <= summary.keys()
    assert all(seconds > 0 for seconds in summary["seconds"].values())
    assert summary["steps_per_second"] == pytest.approx(7 / summary["seconds"]["train"])


def test_the_directory_holds_its_configuration_and_what_the_model_did(finished):
    assert read_config(finished.directory / "config.yaml") == finished.config
    assert not (finished.directory / "wandb").exists()


def test_the_model_that_is_kept_is_the_one_that_was_best_on_validation(finished):
    steps, values = series(read_metrics(finished.directory), "validation/mse")
    best = int(np.argmin(values))
    # Otherwise the last model would do as well, and this test would say nothing.
    assert best != len(values) - 1
    assert finished.summary["best_step"] == steps[best]
    assert finished.summary["validation"]["mse"] == pytest.approx(values[best], rel=1e-6)


def test_the_test_metrics_are_those_of_the_saved_model(finished):
    loaded = load(finished.directory)
    data = loaded.config.task.data()
    for split in ("validation", "test"):
        evaluate = jax.jit(lambda model, data, split=split: functions.evaluate(loaded.config, model, data, split))
        metrics = evaluate(loaded.model, data[split])
        assert {k: float(v) for k, v in metrics.items()} == pytest.approx(finished.summary[split], rel=1e-6)


def test_a_run_without_improvement_stops_early(tmp_path):
    settings = ["optimizer.learning_rate=0", "training.steps=20", "training.patience=2", "training.log_every=1"]
    run(small("adding", *settings), tmp_path)
    summary = read_summary(tmp_path)
    # The first evaluation is the best; two more without improvement end the run.
    assert (summary["steps"], summary["best_step"]) == (6, 2)
    assert [row["step"] for row in read_metrics(tmp_path)][-1] == 6


def test_improvement_keeps_a_patient_run_going(tmp_path):
    settings = ["training.steps=8", "training.patience=1", "optimizer.learning_rate=0.001"]
    run(small("adding", *settings), tmp_path)
    assert read_summary(tmp_path)["steps"] == 8


@pytest.fixture(scope="module")
def diverged(tmp_path_factory):
    """A run whose first update throws the parameters far away."""
    directory = tmp_path_factory.mktemp("diverged")
    settings = ["optimizer.learning_rate=1e30", "optimizer.clip_norm=0", "optimizer.name=sgd"]
    with pytest.raises(RunFailed) as error:
        run(small("adding", *settings), directory)
    return directory, str(error.value)


def test_a_loss_that_is_not_finite_stops_the_run_and_says_at_which_step(diverged):
    directory, message = diverged
    assert "\n" not in message
    assert "stopped being finite at step 2" in message
    assert "optimizer.learning_rate (now 1e+30)" in message
    assert "optimizer.clip_norm (now 0)" in message
    assert str(directory) in message


def test_what_was_logged_before_it_is_kept(diverged):
    directory, message = diverged
    rows = read_metrics(directory)
    assert rows[-1]["step"] == 2
    assert not math.isfinite(rows[-1]["train/loss"])
    summary = read_summary(directory)
    assert summary["status"] == "failed"
    assert summary["error"].endswith(message)
    with pytest.raises(RunError, match="has not finished"):
        load(directory)


def test_a_new_run_in_a_used_directory_starts_over(tmp_path):
    first = run(small("adding", "training.steps=6"), tmp_path)
    with pytest.raises(RunFailed):
        run(small("adding", "optimizer.learning_rate=1e30", "optimizer.clip_norm=0", "optimizer.name=sgd"), tmp_path)
    assert read_summary(tmp_path)["status"] == "failed"
    assert [row["step"] for row in read_metrics(tmp_path)] == [2]
    assert first.summary["status"] == "finished"
    # The earlier model must not pass for the failed run's.
    with pytest.raises(RunError, match="has not finished"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["adding", "cell=conv_lstm"], "needs a task with spatial inputs"),
        (["adding", "cell.map=block_diagonal", "cell.heads=3"], "cell.heads is 3, but must divide the hidden size 8"),
        (["char_lm", "task.unroll=100000"], "task.unroll=100000 is too long"),
    ],
)
def test_parts_that_do_not_fit_are_refused_before_anything_is_written(settings, message, tmp_path):
    with pytest.raises(ConfigError, match=message) as error:
        run(small(*settings), tmp_path / "run")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "run").exists()


def test_the_compilation_cache_is_used_unless_it_is_switched_off(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr("lstmlab.training.run.use_compilation_cache", lambda: asked.append(True))
    config = small("adding", "cell=conv_lstm")  # refused, so that nothing is run
    for on in (True, False):
        changed = dataclasses.replace(config, training=dataclasses.replace(config.training, compilation_cache=on))
        with pytest.raises(ConfigError):
            run(changed, tmp_path)
    assert asked == [True]
