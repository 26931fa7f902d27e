"""Noise on what the first layer reads: in training alone, of the given deviation, in every feature."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lstmlab.models import Rates, SequenceModel
from lstmlab.models.dropout import add_noise
from lstmlab.tasks import Features, Tokens

KEY = jax.random.key(0)


def test_it_has_the_given_deviation_and_no_mean():
    noise = np.asarray(add_noise(jnp.zeros((40, 50, 60)), 0.3, KEY))
    assert abs(noise.mean()) < 5 * 0.3 / noise.size**0.5
    assert noise.std() == pytest.approx(0.3, rel=0.02)
    # Every step, sequence and feature draws its own.
    assert len(np.unique(noise)) > 0.99 * noise.size


@pytest.mark.parametrize("inputs", [Tokens(5), Features(3)], ids=["tokens", "features"])
def test_it_acts_in_training_alone(inputs):
    model = SequenceModel("lstm", inputs, Features(1), hidden_size=4, key=KEY, embedding_size=3)
    xs = jnp.zeros((2, 6), jnp.int32) if isinstance(inputs, Tokens) else jnp.zeros((2, 6, 3))
    clean = model(xs).outputs
    np.testing.assert_array_equal(model(xs, rates=Rates(input_noise=0.5)).outputs, clean)
    noisy = model(xs, rates=Rates(input_noise=0.5), key=KEY).outputs
    assert float(jnp.abs(noisy - clean).max()) > 1e-3
    np.testing.assert_array_equal(model(xs, rates=Rates(input_noise=0.0), key=KEY).outputs, clean)
