"""What the cells are known for, learned for real: minutes on two cores."""

import pytest

import lstmlab

pytestmark = pytest.mark.slow
QUIET = ["wandb.mode=disabled"]


def run(tmp_path, *overrides):
    return lstmlab.train(lstmlab.compose([*overrides, *QUIET]), tmp_path, progress=False).summary


@pytest.mark.parametrize(("cell", "solves"), [("lstm", True), ("rnn", False)])
def test_lstm_solves_adding_over_100_steps_and_the_plain_rnn_does_not(tmp_path, cell, solves):
    summary = run(tmp_path, f"cell={cell}", "task=adding", "task.length=100")
    assert (summary["test"]["mse"] < 0.01) is solves
    assert summary["baselines"]["constant 1"] == pytest.approx(1 / 6)


def test_an_lstm_reaches_2_4_bits_per_character(tmp_path):
    summary = run(tmp_path, "experiment=shakespeare", "cell=lstm")
    assert summary["test"]["bpc"] < 2.4


def test_conv_lstm_predicts_frames_better_than_copying_the_last_and_than_the_mean_frame(tmp_path):
    summary = run(tmp_path, "experiment=moving_mnist", "cell=conv_lstm")
    baselines = summary["baselines"]
    assert summary["test"]["mse"] < baselines["last frame"]
    assert summary["test"]["mse"] < baselines["mean frame"]
