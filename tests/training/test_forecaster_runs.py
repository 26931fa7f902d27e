"""An encoder-forecaster from configuration to saved model."""

import jax.numpy as jnp
import numpy as np
import pytest
from small_runs import run, small

from lstmlab import load


@pytest.mark.parametrize("cell", ["conv_lstm", "gru"])
def test_a_run_trains_and_loads_and_predicts_the_future_alone(cell, tmp_path):
    config = small("moving_mnist", "task.forecast=encoder_forecaster", f"cell={cell}", "training.steps=2")
    trained = run(config, tmp_path)
    assert type(trained.model).__name__ == "EncoderForecaster"
    batch = config.task.eval_batch(config.task.data()["test"], "test", jnp.asarray(0), 3)
    outputs = trained.predict(batch)
    assert outputs.shape == batch.targets.shape
    np.testing.assert_array_equal(load(tmp_path).predict(batch), outputs)
    assert not trained.stepwise
    with pytest.raises(ValueError, match="needs the whole sequence"):
        trained.step(batch.inputs[0][:, 0])
    assert list((tmp_path / "pictures").glob("film-*.gif"))
