"""What ``tracking.optimisation`` logs, against laws that are known; and that training does not notice."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_runs import assert_same_bits, parameters, run, small

from lstmlab.config import ConfigError
from lstmlab.tracking.files import read_metrics
from lstmlab.training import functions, train
from lstmlab.training.optimisation import OptimisationLog, OptimisationRows, check_halves, diagnose

STEPS = ["training.steps=6", "training.log_every=2", "training.eval_every=2", "optimizer.clip_norm=0.1"]


def mean_of_rows(model, batch, carry, key):
    """A gradient whose part of every sequence is the sequence itself."""
    return batch.mean(0)


def test_the_estimates_of_the_noise_are_right_on_average():
    # Sequences are draws of a normal law: its mean is the true gradient, its variances are the noise.
    mean, deviations = jnp.array([1.0, -2.0, 0.5]), jnp.array([1.0, 2.0, 3.0])

    def estimate(key):
        batch = mean + deviations * jax.random.normal(key, (8, 3))
        return diagnose(mean_of_rows, jnp.ones(3), jnp.ones(3), batch, None, key)

    found = jax.jit(jax.vmap(estimate))(jax.random.split(jax.random.key(0), 20_000))
    assert float(found.gradient_squared.mean()) == pytest.approx(5.25, rel=0.03)
    assert float(found.gradient_variance.mean()) == pytest.approx(14, rel=0.03)


def test_updates_are_compared_with_the_weights_of_their_module():
    model = {"head": {"kernel": jnp.array([3.0, 0.0]), "bias": jnp.array([4.0])}, "embedding": jnp.array([2.0])}
    updates = {"head": {"kernel": jnp.array([0.3, 0.0]), "bias": jnp.array([0.4])}, "embedding": jnp.array([-0.5])}
    found = diagnose(mean_of_rows, model, updates, jnp.ones((2, 1)), None, jax.random.key(0)).update_ratios
    assert {name: float(ratio) for name, ratio in found.items()} == pytest.approx({"head": 0.1, "embedding": 0.25})


def test_the_noise_scale_is_the_ratio_of_means_and_goes_on_where_a_run_stopped():
    whole, first, rest = (OptimisationRows(1.0) for _ in range(3))
    logs = [OptimisationLog({}, jnp.float32(g), jnp.float32(s)) for g, s in [(2, 8), (-1, 4), (3, 9)]]
    norms = np.array([0.5, 2.0, 3.0, 0.1])
    rows = [whole.row(log, norms) for log in logs]
    assert rows[0]["optimisation/noise_scale"] == pytest.approx(4)
    assert rows[1]["optimisation/noise_scale"] == pytest.approx((0.9 * 8 + 4) / (0.9 * 2 - 1))
    assert rows[0]["optimisation/clip_rate"] == 0.5
    rest.replay([first.row(logs[0], norms), {"step": 3}, first.row(logs[1], norms)])
    assert rest.row(logs[2], norms) == rows[2]
    assert OptimisationRows(0.0).row(logs[1], norms)["optimisation/noise_scale"] == float("inf")
    assert "optimisation/clip_rate" not in OptimisationRows(0.0).row(logs[0], norms)


def test_every_row_has_them_and_training_does_not_notice(tmp_path):
    config = small("adding", *STEPS, "tracking.optimisation=true")
    run(config, tmp_path / "on")
    run(small("adding", *STEPS), tmp_path / "off")
    # Without the compiler's optimisations, which may round otherwise, to the last bit.
    assert_same_bits(parameters(tmp_path / "on"), parameters(tmp_path / "off"))
    rows = read_metrics(tmp_path / "on")
    own = {key for key in rows[0] if key.startswith("optimisation/")}
    modules = {"head", "layers.0.forward.input", "layers.0.forward.recurrent"}
    assert own == {f"optimisation/update_ratio/{module}" for module in modules} | {
        f"optimisation/{name}" for name in ("gradient_squared", "gradient_variance", "noise_scale", "clip_rate")
    }
    assert all(own <= row.keys() for row in rows)
    assert all(0 < row["optimisation/update_ratio/head"] < 1 for row in rows)
    assert all(row["optimisation/gradient_variance"] > 0 for row in rows)
    assert not any("optimisation" in key for row in read_metrics(tmp_path / "off") for key in row)


@pytest.mark.parametrize(
    "task", ["char_lm", *(pytest.param(task, marks=pytest.mark.slow) for task in ("translation", "moving_mnist"))]
)
def test_batches_of_every_form_have_halves(task):
    # A carried state, pairs of sequences, frames: shapes alone, nothing is compiled.
    config = small(task, "tracking.optimisation=true")
    data = config.task.data()["train"]
    state = jax.eval_shape(lambda: functions.init(config))
    _, log = jax.eval_shape(lambda state, data: functions.advance(config, state, data, 3), state, data)
    assert log.optimisation.gradient_variance.shape == ()
    assert "head" in log.optimisation.update_ratios


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["training.batch_size=3"], "training.batch_size is 3, but must be even for tracking.optimisation=true"),
        (["training.devices=2"], "tracking.optimisation=true needs training.devices=1"),
    ],
)
def test_batches_without_two_halves_on_one_device_are_refused(overrides, told, tmp_path):
    config = small("adding", "tracking.optimisation=true", *overrides)
    with pytest.raises(ConfigError, match=told):
        check_halves(config)
    with pytest.raises(ConfigError, match=told):
        train(config, tmp_path, progress=False)
