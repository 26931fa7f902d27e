"""The recursive strategy: every forecast is read in the place of the value that it is of."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lstmlab.models import RecursiveModel, SequenceModel
from lstmlab.tasks import Features

HORIZON, COLUMNS, WINDOW = 3, 2, 4


def model(**settings):
    outputs = Features(2, (HORIZON, COLUMNS))
    return RecursiveModel("gru", Features(COLUMNS + 1), outputs, hidden_size=5, key=jax.random.key(0), **settings)


def inputs():
    drawn = np.random.default_rng(0).normal(size=(6, WINDOW + HORIZON - 1, COLUMNS + 1)).astype(np.float32)
    drawn[:, WINDOW:, :COLUMNS] = 0
    return drawn


@pytest.mark.parametrize("settings", [{}, {"layers": 2, "block": "residual"}])
def test_it_is_the_sequence_model_on_ever_longer_sequences(settings):
    made, rows = model(**settings), inputs()
    out = made(jnp.asarray(rows))
    assert out.outputs.shape == (6, HORIZON, COLUMNS, 2)
    for k in range(HORIZON):
        expected = SequenceModel.__call__(made, jnp.asarray(rows[:, : WINDOW + k])).outputs
        np.testing.assert_allclose(out.outputs[:, k], expected, rtol=1e-5, atol=1e-6)
        if k < HORIZON - 1:
            rows[:, WINDOW + k, :COLUMNS] = expected[..., 0]


def test_what_stands_in_the_place_of_later_values_is_not_read():
    rows = inputs()
    spoilt = rows.copy()
    spoilt[:, WINDOW:, :COLUMNS] = 7
    np.testing.assert_array_equal(model()(jnp.asarray(rows)).outputs, model()(jnp.asarray(spoilt)).outputs)


def test_gradients_reach_the_parameters_through_the_forecasts():
    def last(made):
        return jnp.sum(made(jnp.asarray(inputs())).outputs[:, -1] ** 2)

    assert all(jnp.abs(g).max() > 0 for g in jax.tree.leaves(jax.grad(last)(model())))


def test_a_horizon_of_one_is_the_sequence_model():
    made = RecursiveModel("lstm", Features(1), Features(1, (1, 1)), hidden_size=3, key=jax.random.key(0))
    rows = jnp.asarray(inputs()[:, :, :1])
    np.testing.assert_allclose(made(rows).outputs[:, 0], SequenceModel.__call__(made, rows).outputs, rtol=1e-6)


def test_models_that_cannot_go_step_by_step_are_refused():
    with pytest.raises(ValueError, match=r"model\.bidirectional=true cannot read its own forecasts"):
        model(bidirectional=True)
    with pytest.raises(ValueError, match=r"model\.readout is 'pooled', but task\.strategy=recursive needs last"):
        model(readout="pooled")
