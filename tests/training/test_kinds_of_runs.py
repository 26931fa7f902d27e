"""Choices beside cell and task: each of them trains, and does what it says."""

import jax
import numpy as np
import pytest
from small_runs import run, small

from lstmlab import load
from lstmlab.tracking.files import read_metrics
from lstmlab.training import functions


def first_losses(*settings, task="adding", steps=2):
    """Losses of the first steps, and the state after them."""
    config = small(task, *settings)
    data = jax.device_put(config.task.data())["train"]
    state, log = jax.jit(lambda data: functions.advance(config, functions.init(config), data, steps))(data)
    return np.asarray(log.loss), state


@pytest.fixture(scope="module")
def plain():
    return first_losses()


REGULARISED = [
    ["dropout.input=0.5"],
    ["dropout.layer=0.5"],
    ["dropout.recurrent=0.5"],
    ["dropout.zoneout=0.5"],
    ["dropout.input=0.5", "dropout.variational=true"],
]


@pytest.mark.parametrize("settings", REGULARISED, ids=" ".join)
def test_regularised_runs_train_and_differ_from_the_start(settings, plain):
    losses, _ = first_losses(*settings)
    assert np.all(np.isfinite(losses))
    assert losses[0] != plain[0][0]


def test_everything_at_once_runs_to_the_end(tmp_path):
    settings = [
        "model.layers=2", "model.block=residual", "model.bidirectional=true", "model.readout=pooled",
        "dropout.input=0.1", "dropout.layer=0.1", "dropout.recurrent=0.1", "dropout.zoneout=0.1",
        "optimizer=adamw", "schedule=one_cycle", "init.chrono_horizon=10",
    ]  # fmt: skip
    trained = run(small("adding", *settings), tmp_path)
    assert trained.summary["status"] == "finished"
    assert np.isfinite(trained.summary["value"])


@pytest.mark.parametrize("task", ["adding", "char_lm"])
def test_an_up_projection_block_is_a_choice_of_the_configuration(task, tmp_path):
    trained = run(small(task, "model.block=up_projection", "model.layers=2", "dropout.recurrent=0.1"), tmp_path)
    assert trained.summary["status"] == "finished"
    assert np.isfinite(trained.summary["value"])
    # A stream of half the hidden size between the layers.
    assert trained.model.head.kernel.shape[0] == trained.config.model.hidden_size // 2
    inputs = trained.task.eval_batch(trained.task.data()["test"], "test", 0, 2).inputs
    np.testing.assert_array_equal(load(tmp_path)(inputs), trained(inputs))


def test_masks_act_in_training_only(plain):
    # The rate changes what is learned from the first step on, but not how a given model is judged.
    _, state = plain
    values = []
    for rate in (0.2, 0.7):
        config = small("adding", f"dropout.layer={rate}", f"dropout.recurrent={rate}")
        metrics = jax.jit(lambda m, config=config: functions.evaluate(config, m, (), "test"))(state.model)
        values.append(float(metrics["mse"]))
    assert values[0] == values[1]


def test_zoneout_acts_by_its_expectation_wherever_a_model_is_used(tmp_path):
    trained = run(small("adding", "dropout.zoneout=0.5"), tmp_path)
    task = trained.task
    for model in (trained, load(tmp_path)):
        error, weight = 0.0, 0.0
        for index in range(task.eval_batches("test", 4)):
            batch = task.eval_batch((), "test", index, 4)
            total, share = task.metrics(model.predict(batch), batch)["mse"]
            error, weight = error + float(total), weight + float(share)
        assert error / weight == pytest.approx(trained.summary["test"]["mse"], rel=1e-5)


def test_bfloat16_computes_in_less_precision_and_keeps_its_parameters_whole(plain):
    losses, state = first_losses("model.dtype=bfloat16")
    assert np.all(np.isfinite(losses))
    assert {leaf.dtype for leaf in jax.tree.leaves(state.model)} == {np.dtype("float32")}
    assert losses[0] != plain[0][0]
    np.testing.assert_allclose(losses, plain[0], rtol=0.05)


@pytest.mark.parametrize("chunk", [2, 4, 100])
def test_rematerialisation_changes_memory_and_nothing_else(chunk, plain):
    losses, state = first_losses(f"model.chunk={chunk}")
    np.testing.assert_allclose(losses, plain[0], rtol=1e-5)
    for a, b in zip(jax.tree.leaves(state.model), jax.tree.leaves(plain[1].model), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)


def test_backends_train_alike():
    scan, fused = (first_losses(f"model.backend={name}", task="char_lm")[0] for name in ("scan", "fused"))
    np.testing.assert_allclose(scan, fused, rtol=1e-5)


def test_the_summary_names_the_backend_that_ran_and_the_dtype(tmp_path):
    summary = run(small("adding", "model.backend=scan", "model.dtype=bfloat16"), tmp_path).summary
    assert (summary["backend"], summary["dtype"]) == ("scan", "bfloat16")
    assert len(read_metrics(tmp_path)) == 2


@pytest.mark.parametrize("name", ["adamw", "rmsprop", "sgd"])
def test_every_optimiser_trains(name, plain):
    losses, _ = first_losses(f"optimizer={name}", steps=3)
    assert np.all(np.isfinite(losses))
    # The first loss is before the first update: the same for all. The second is not.
    assert losses[0] == pytest.approx(plain[0][0], rel=1e-6)
    assert losses[1] != plain[0][1]


def test_pictures_and_samples_come_as_often_as_asked(tmp_path):
    run(small("char_lm", "training.illustrate_every=1"), tmp_path)
    samples = sorted(path.name for path in (tmp_path / "samples").iterdir())
    assert samples == ["sample-0000002.txt", "sample-0000004.txt"]
    texts = [(tmp_path / "samples" / name).read_text() for name in samples]
    assert all(text.startswith("ROMEO:") for text in texts)
    assert texts[0] != texts[1]
