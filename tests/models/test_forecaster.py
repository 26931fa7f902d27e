"""The encoder-forecaster: two stacks, states handed over, a head that reads every layer."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from model_checks import BATCH, FEATURES, HIDDEN, OUTPUTS, SPATIAL, close, compiled, differ

from lstmlab.cells import cell_names
from lstmlab.models import EncoderForecaster, Rates
from lstmlab.models.model_settings import spatial_shape
from lstmlab.recurrence import unroll
from lstmlab.tasks import Features, Tokens

PAST, FUTURE = 4, 3
run = compiled(lambda model, inputs, state=None: model(inputs, state))


def build(cell="lstm", **settings):
    spatial = spatial_shape(cell, settings.get("cell_options") or {}, Features(FEATURES, SPATIAL))
    made = EncoderForecaster(
        cell, Features(FEATURES, spatial), Features(OUTPUTS, spatial),
        **{"hidden_size": HIDDEN, "key": jax.random.key(0)} | settings,
    )  # fmt: skip
    draw = np.random.default_rng(0)
    return jax.tree.map(lambda a: jnp.asarray(np.asarray(a) + 0.3 * draw.normal(size=a.shape), a.dtype), made)


def pair(model, future=0.0, seed=1):
    draw = np.random.default_rng(seed)
    shape = (*model.inputs.spatial, FEATURES)
    past, shift = (draw.normal(size=(BATCH, time, *shape)) for time in (PAST, FUTURE))
    return jnp.asarray(past, jnp.float32), jnp.asarray(future * shift, jnp.float32)


@pytest.mark.parametrize("cell", ["lstm", "conv_lstm"])
@pytest.mark.parametrize("layers", [1, 2])
def test_it_is_two_stacks_with_states_handed_over_and_a_head_over_all_layers(cell, layers):
    """The equations of Shi et al., unrolled layer by layer with nothing but the cells."""
    model = build(cell, layers=layers)
    past, future = pair(model, future=1.0)
    out = run(model, (past, future))
    xs, us, outputs = jnp.swapaxes(past, 0, 1), jnp.swapaxes(future, 0, 1), []
    for encoder, forecaster in zip(model.layers, model.forecaster, strict=True):
        read = unroll(encoder.forward, xs, backend="scan")
        forecast = unroll(forecaster.forward, us, read.state, backend="scan")
        xs, us = read.outputs, forecast.outputs
        outputs.append(np.asarray(us, np.float64))
    every = np.concatenate(outputs, axis=-1)
    expected = every @ np.asarray(model.head.kernel, np.float64) + np.asarray(model.head.bias)
    np.testing.assert_allclose(out.outputs, expected.swapaxes(0, 1), rtol=1e-4, atol=1e-5)
    assert out.outputs.shape == (BATCH, FUTURE, *model.inputs.spatial, OUTPUTS)


def test_both_stacks_learn_and_have_weights_of_their_own():
    model = build(layers=2)
    first, second = model.layers[0].forward, model.forecaster[0].forward
    assert differ(first.recurrent.kernel, second.recurrent.kernel)
    grads = jax.grad(lambda m: jnp.sum(m(pair(m)).outputs ** 2))(model)
    for stack in (grads.layers, grads.forecaster):
        for layer in stack:
            assert jnp.abs(jnp.asarray(layer.forward.recurrent.kernel)).max() > 1e-6


def test_the_future_is_not_read_by_the_past_and_the_past_is():
    model = build()
    past, future = pair(model, future=1.0)
    base = run(model, (past, future)).outputs
    late = run(model, (past, future.at[:, -1].add(1.0))).outputs
    np.testing.assert_allclose(base[:, :-1], late[:, :-1], rtol=1e-6)
    assert differ(base[:, -1], late[:, -1])
    assert differ(base[:, -1], run(model, (past.at[:, 0].add(1.0), future)).outputs[:, -1])


def test_the_past_can_be_read_in_pieces():
    model = build("gru", layers=2)
    past, future = pair(model)
    whole = run(model, (past, future))
    before = run(model, (past[:, :2], future)).state
    close(run(model, (past[:, 2:], future), before).outputs, whole.outputs)


def test_padded_steps_of_the_past_do_not_count():
    model = build()
    past, future = pair(model)
    lengths = jnp.asarray([PAST, 2])
    padded = model((past, future), lengths=lengths).outputs
    np.testing.assert_allclose(padded[1:], model((past[1:, :2], future[1:])).outputs, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(padded[:1], model((past[:1], future[:1])).outputs, rtol=1e-5, atol=1e-6)


def test_dropout_acts_with_a_key_alone():
    model = build(layers=2)
    rates = Rates(layer=0.5)
    inputs = pair(model)
    close(model(inputs, rates=rates).outputs, model(inputs).outputs)
    assert differ(model(inputs, rates=rates, key=jax.random.key(1)).outputs, model(inputs).outputs)


@pytest.mark.parametrize("block", ["plain", "residual", "up_projection"])
def test_every_block_goes(block):
    model = build(layers=2, block=block)
    assert jnp.isfinite(run(model, pair(model)).outputs).all()


@pytest.mark.parametrize("cell", cell_names())
def test_every_cell_has_the_shapes_of_an_encoder_forecaster(cell):
    def forward(key):
        spatial = spatial_shape(cell, {}, Features(FEATURES, SPATIAL))
        features = Features(FEATURES, spatial)
        model = EncoderForecaster(cell, features, Features(OUTPUTS, spatial), hidden_size=8, key=key)
        return model((jnp.zeros((BATCH, PAST, *spatial, FEATURES)), jnp.zeros((BATCH, FUTURE, *spatial, FEATURES))))

    out = jax.eval_shape(forward, jax.random.key(0))
    assert out.outputs.shape[:2] == (BATCH, FUTURE)
    assert out.outputs.shape[-1] == OUTPUTS


def test_dense_cells_read_and_give_whole_frames():
    frames = Features(FEATURES, SPATIAL)
    model = EncoderForecaster("gru", frames, frames, hidden_size=HIDDEN, key=jax.random.key(0))
    inputs = tuple(jnp.ones((BATCH, time, *SPATIAL, FEATURES)) for time in (PAST, FUTURE))
    assert run(model, inputs).outputs.shape == (BATCH, FUTURE, *SPATIAL, FEATURES)


@pytest.mark.parametrize(
    ("inputs", "settings", "message"),
    [
        (Tokens(4), {}, "inputs are tokens"),
        (Features(2), {"bidirectional": True}, r"model\.bidirectional=true"),
        (Features(2), {"readout": "last"}, r"model\.readout is 'last'"),
    ],
)
def test_what_cannot_forecast_is_refused(inputs, settings, message):
    with pytest.raises(ValueError, match=message):
        EncoderForecaster("lstm", inputs, Features(2), hidden_size=4, key=jax.random.key(0), **settings)
