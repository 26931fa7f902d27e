"""Dropout kinds: off without a key, random with one, right in the mean, constant when variational."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from battery import representative
from model_checks import BATCH, HIDDEN, bare, build, call, close, compiled, differ, run, sequences

from lstmlab.cells import cell_names
from lstmlab.models import Rates
from lstmlab.models.dropout import sequence_dropout

TIME = 5
KINDS = Rates._fields
KEY = jax.random.key(3)


def rates(**kinds):
    """Rates as arrays, so that all values share one compiled program."""
    return Rates(**{kind: jnp.float32(rate) for kind, rate in kinds.items()})


# The wrappers are asked of every cell in tests/recurrence/test_regularised.py; here it is how a model uses them.
@pytest.mark.parametrize(
    "name", [name if representative(name) else pytest.param(name, marks=pytest.mark.slow) for name in cell_names()]
)
def test_every_kind_acts_on_every_cell_with_a_key(name):
    model = build(name)
    xs = sequences(model, TIME)

    def outputs(key=KEY, **one):
        # All four are traced, so that one program serves every case.
        return run(model, xs, rates=rates(**dict.fromkeys(kinds, 0.0) | one), key=key).outputs

    cell = model.layers[0].forward
    nothing = set() if cell.state_maps() else {"recurrent", "weight"}
    nothing |= set() if "candidate" in cell.gates else {"candidate"}
    kinds = [kind for kind in KINDS if kind not in nothing]
    none = outputs()
    close(none, run(model, xs).outputs)
    for kind in kinds:
        some = outputs(**{kind: 0.5})
        np.testing.assert_array_equal(some, outputs(**{kind: 0.5}))
        assert np.isfinite(some).all()
        assert differ(some, none), kind
        assert differ(some, outputs(jax.random.key(4), **{kind: 0.5})), kind


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_alone_is_that_kind_among_others_at_rate_zero(kind):
    model = build("lstm")
    xs = sequences(model, TIME)
    alone = run(model, xs, rates=rates(**{kind: 0.5}), key=KEY).outputs
    among = run(model, xs, rates=rates(**dict.fromkeys(KINDS, 0.0) | {kind: 0.5}), key=KEY).outputs
    close(alone, among)


def test_without_a_key_dropout_is_off():
    model = build("lstm", layers=2, bidirectional=True)
    xs = sequences(model, TIME)
    given = run(model, xs, rates=rates(input=0.5, layer=0.5, recurrent=0.5))
    np.testing.assert_array_equal(given.outputs, run(model, xs).outputs)


def test_a_key_without_rates_changes_nothing():
    model = build("lstm", layers=2)
    xs = sequences(model, TIME)
    np.testing.assert_array_equal(run(model, xs, key=KEY).outputs, run(model, xs).outputs)


def test_zoneout_without_a_key_is_its_mean():
    """Evaluation mixes old and new state by the rate (Krueger et al. 2017), it does not ignore it."""
    model, rate = build("lstm"), 0.3
    xs = sequences(model, TIME)
    cell, state = model.layers[0].forward, model.initial_state(BATCH)[0][0]
    for step in range(TIME):
        new, _ = cell.step(state, cell.project(xs[:, step]))
        state = jax.tree.map(lambda old, new: rate * old + (1 - rate) * new, state, new)
    result = run(model, xs, rates=rates(zoneout=rate))
    close(result.state[0][0], state)
    close(bare(model)(xs, rates=rates(zoneout=rate)).outputs[:, -1], state.h)


def test_everything_dropped():
    model = build("rnn")
    xs = sequences(model, TIME)

    def outputs(**kinds):
        return run(bare(model), xs, rates=rates(**kinds), key=KEY).outputs

    close(outputs(input=1.0), run(bare(model), jnp.zeros_like(xs)).outputs)
    close(outputs(layer=1.0), jnp.zeros((BATCH, TIME, HIDDEN)))
    close(outputs(zoneout=1.0), jnp.zeros((BATCH, TIME, HIDDEN)))
    # Without the recurrent product every step is a first step.
    always = jnp.ones((BATCH, TIME), bool)
    close(outputs(recurrent=1.0), run(bare(model), xs, resets=always).outputs)


def dropped_inputs(variational):
    """Where inputs ``[batch, time, features]`` have no effect: seen from outside, by gradients."""
    model = build("rnn", variational_dropout=variational)
    xs = sequences(model, TIME, batch=8)
    total = jax.grad(lambda x: model(x, rates=rates(input=0.5), key=KEY).outputs.sum())
    return np.asarray(compiled(total)(xs)) == 0


def dropped_outputs(variational):
    """Where outputs of the last layer ``[batch, time, hidden]`` are dropped before the head."""
    model = bare(build("rnn", variational_dropout=variational))
    xs = sequences(model, TIME, batch=8)
    return np.asarray(run(model, xs, rates=rates(layer=0.5), key=KEY).outputs) == 0


@pytest.mark.parametrize("dropped", [dropped_inputs, dropped_outputs])
def test_variational_masks_are_constant_over_time(dropped):
    constant, changing = dropped(True), dropped(False)
    for mask in (constant, changing):
        assert 0.3 < mask.mean() < 0.7
        assert (mask != mask[:1]).any(), "sequences of a batch have masks of their own"
    assert (constant == constant[:, :1]).all()
    assert (changing != changing[:, :1]).any()


def test_recurrent_masks_are_constant_over_time():
    """With a diagonal map a unit whose recurrence is dropped never sees its past."""
    model = bare(build("rnn", cell_options={"map": "diagonal"}))
    xs = sequences(model, TIME, batch=8)
    outputs = run(model, xs, rates=rates(recurrent=0.5), key=KEY).outputs
    forgetful = run(model, xs, resets=jnp.ones((8, TIME), bool)).outputs
    blind = np.isclose(outputs, forgetful, atol=1e-6)[:, 1:]
    assert 0.2 < blind.mean() < 0.8
    assert (blind == blind[:, :1]).all()


def test_zoneout_masks_change_over_time_and_differ_between_fields():
    model = build("lstm")
    xs = sequences(model, TIME, batch=8)
    outputs = run(bare(model), xs, rates=rates(zoneout=0.5), key=KEY).outputs
    kept = np.asarray(outputs[:, 1:] == outputs[:, :-1])
    assert 0.3 < kept.mean() < 0.7
    assert (kept != kept[:, :1]).any()
    state = run(model, xs[:, :1], rates=rates(zoneout=0.5), key=KEY).state[0][0]
    assert ((state.h == 0) != (state.c == 0)).any()


def test_zoneout_keeps_elements_of_the_old_state_as_they_are():
    model = build("lstm")
    xs = sequences(model, 1, batch=8)
    draw = np.random.default_rng(0)
    old = jax.tree.map(lambda a: jnp.asarray(draw.normal(size=a.shape), a.dtype), model.initial_state(8))
    new = run(model, xs, old).state
    for before, after, zoned in zip(
        *map(jax.tree.leaves, (old, new, run(model, xs, old, rates=rates(zoneout=0.5), key=KEY).state)),
        strict=True,
    ):
        kept = np.isclose(zoned, before, atol=1e-6)
        assert 0.2 < kept.mean() < 0.8
        np.testing.assert_allclose(zoned, np.where(kept, before, after), atol=1e-6)


def test_layers_and_directions_draw_masks_of_their_own():
    model = build("rnn", layers=2, bidirectional=True)
    xs = sequences(model, 1, batch=16)
    state = run(model, xs, rates=rates(zoneout=0.5), key=KEY).state
    masks = [np.asarray(one.h == 0) for layer in state for one in layer]
    for i, one in enumerate(masks):
        for other in masks[:i]:
            assert (one != other).any()


def test_dropout_before_the_head_keeps_the_mean():
    """The head is linear, so its outputs have the mean of those without dropout."""
    model = build("lstm")
    xs = sequences(model, TIME)
    keys = jax.random.split(KEY, 4000)
    drawn = compiled(jax.vmap(lambda key: call(model, xs, rates=rates(layer=0.3), key=key).outputs))(keys)
    error = drawn.std(axis=0) / np.sqrt(len(keys))
    assert (jnp.abs(drawn.mean(axis=0) - run(model, xs).outputs) < 5 * error).all()


@pytest.mark.parametrize("variational", [False, True])
@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropout_keeps_the_mean_of_what_it_drops(rate, variational):
    xs = jnp.ones((20, 500, 20))
    dropped = sequence_dropout(xs, rate, KEY, variational=variational)
    assert set(np.unique(np.asarray(dropped)).round(4)) == {0.0, np.float32(1 / (1 - rate)).round(4)}
    draws = xs.size / (20 if variational else 1)
    assert abs(float(dropped.mean()) - 1) < 5 * np.sqrt(rate / (1 - rate) / draws)


def test_zoneout_keeps_the_mean_of_one_step():
    model = build("rnn")
    xs = sequences(model, 1)
    keys = jax.random.split(KEY, 2000)
    drawn = compiled(jax.vmap(lambda key: call(model, xs, rates=rates(zoneout=0.4), key=key).outputs))(keys)
    mean = run(model, xs, rates=rates(zoneout=0.4)).outputs
    assert (jnp.abs(drawn.mean(axis=0) - mean) < 5 * drawn.std(axis=0) / np.sqrt(2000)).all()


def test_dropout_and_padding_go_together():
    """Dropped or not, padding never changes a result."""
    model = build("gru", layers=2, bidirectional=True, readout="pooled")
    xs, lengths = sequences(model, TIME), jnp.asarray([2, TIME])
    everything = rates(input=0.3, layer=0.3, recurrent=0.3, zoneout=0.3)
    clean = run(model, xs, lengths=lengths, rates=everything, key=KEY)
    dirty = run(model, xs.at[0, 2:].set(1e3), lengths=lengths, rates=everything, key=KEY)
    close(clean, dirty)
