"""What two devices make of one run; run by test_data_parallel.py in a process that has two."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_runs import assert_same_bits, parameters, run, small, untimed

from lstmlab.config import ConfigError, split_traced
from lstmlab.tracking.files import read_metrics
from lstmlab.training import functions, train_population
from lstmlab.training.checkpoint import Checkpoints
from lstmlab.training.compiled import CompiledRun
from lstmlab.training.devices import batch_mesh, by_rows

TWO = "training.devices=2"
LONGER = ["training.steps=8", "optimizer.learning_rate=0.02"]


def assert_same_curve(directory, other):
    """Equal within rounding: the rows of a batch are summed in another order."""
    rows, expected = untimed(read_metrics(directory)), untimed(read_metrics(other))
    assert [row["step"] for row in rows] == [row["step"] for row in expected]
    for row, told in zip(rows, expected, strict=True):
        assert row == pytest.approx(told, rel=1e-4)


@pytest.mark.parametrize("task", ["adding", "char_lm"])
def test_the_curve_is_that_of_one_device(task, tmp_path):
    run(small(task, *LONGER), tmp_path / "one")
    run(small(task, *LONGER, TWO), tmp_path / "both")
    assert_same_curve(tmp_path / "both", tmp_path / "one")
    assert read_metrics(tmp_path / "both")[0]["train/loss"] != read_metrics(tmp_path / "both")[-1]["train/loss"]


def test_streamed_batches_are_split_as_those_of_the_device(tmp_path):
    run(small("char_lm", *LONGER, TWO), tmp_path / "device")
    streamed = run(small("char_lm", *LONGER, TWO, "data.placement=stream"), tmp_path / "stream")
    assert streamed.summary["data_placement"] == "stream"
    assert_same_curve(tmp_path / "stream", tmp_path / "device")


@pytest.mark.parametrize("task", ["adding", "char_lm", "moving_mnist"])
def test_every_device_computes_its_rows_and_gradients_are_summed(task):
    batch, hidden = 14, 9
    config = small(
        task, TWO, f"training.batch_size={batch}", "training.eval_batch_size=14", f"model.hidden_size={hidden}"
    )
    programs = CompiledRun(config)
    member = jax.device_put(split_traced(config)[1], programs.placement)
    state = jax.device_put(jax.tree.map(lambda s: np.zeros(s.shape, s.dtype), programs.template), programs.placement)
    data = programs.data("train", programs.placement)
    advance = programs._jitted(functions.advance, 3, None, {"steps": 2})
    text = advance.lower(member, state, data).compile().as_text()
    assert "all-reduce" in text
    # The state of the recurrence has half of the rows on each device, and nobody gathers those of all steps.
    assert f"f32[{batch // 2},{hidden}]" in text
    gathered = [line.split(" = ")[1].split("{")[0] for line in text.splitlines() if " all-gather(" in line]
    assert all(shape == f"f32[{batch},{hidden}]" for shape in gathered)


def test_every_device_draws_masks_of_its_own():
    mesh = batch_mesh(small("adding", TWO))

    def draw(shared, rows, key):
        return rows + jax.random.uniform(key, rows.shape)

    drawn = np.asarray(jax.jit(lambda rows, key: by_rows(mesh, draw, (), rows, key))(jnp.zeros(4), jax.random.key(0)))
    assert len(set(drawn.tolist())) == 4


def test_dropout_of_every_kind_runs(tmp_path):
    rates = ["dropout.input=0.1", "dropout.layer=0.1", "dropout.recurrent=0.1", "dropout.zoneout=0.1"]
    assert run(small("adding", *rates, TWO), tmp_path).summary["status"] == "finished"


@pytest.mark.parametrize("devices", [2, 1], ids=["on two again", "on one"])
def test_an_interrupted_run_goes_on(devices, tmp_path, monkeypatch):
    settings = ["training.steps=8", "task=char_lm", "training.devices=0"]
    alone = run(small("char_lm", *settings), tmp_path / "alone")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        works = Checkpoints.save

        def interrupted(self, step, *args):
            works(self, step, *args)
            if step == 4:
                raise KeyboardInterrupt

        patch.setattr(Checkpoints, "save", interrupted)
        run(small("char_lm", *settings), tmp_path / "stopped")
    run(small("char_lm", *settings, "resume=true", f"training.devices={devices}"), tmp_path / "stopped")
    assert_same_curve(tmp_path / "stopped", alone.directory)
    if devices == 2:
        assert_same_bits(parameters(tmp_path / "stopped"), parameters(alone.directory))


@pytest.mark.parametrize("strategy", ["threads", "vmap"])
def test_members_of_a_population_take_turns_on_all_devices(strategy, tmp_path):
    configs = [small("adding", TWO, f"seed={seed}") for seed in range(3)]
    paths = [tmp_path / str(seed) for seed in range(3)]
    outcomes = train_population(configs, paths, strategy=strategy, workers=2, progress=False)
    assert [outcome.error for outcome in outcomes] == [None] * 3
    run(small("adding", "seed=2"), tmp_path / "alone")
    assert_same_curve(paths[2], tmp_path / "alone")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (["training.devices=3"], "training.devices is 3, but JAX finds 2 cpu device(s) (JAX_NUM_CPU_DEVICES=3"),
        ([TWO, "training.batch_size=5"], "training.batch_size is 5, but must be a multiple of the 2 devices"),
        (["training.devices=0", "training.batch_size=5"], "(training.devices=0)"),
        ([TWO, "training.eval_batch_size=3"], "training.eval_batch_size is 3, but must be a multiple of the 2 devices"),
    ],
)
def test_what_cannot_be_split_is_refused_before_anything_is_written(settings, told, tmp_path):
    with pytest.raises(ConfigError) as error:
        run(small("adding", *settings), tmp_path / "run")
    assert told in str(error.value)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "run").exists()
