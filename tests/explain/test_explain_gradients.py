"""Gradients over time, against finite differences of whole trajectories and against analytic products."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from battery import FEATURES, forms, representative

from lstmlab.cells import cell_names, make_cell
from lstmlab.explain import direct_path, field_jacobian, jacobian_products, loss_gradients, trajectory
from lstmlab.explain import gradients as module
from lstmlab.explain.trajectory import flat, state_fields

TIME, BATCH, STEP = 5, 2, 1e-6
each_cell = pytest.mark.parametrize(
    "name", [name if representative(name) else pytest.param(name, marks=pytest.mark.slow) for name in cell_names()]
)


def build(name, seed=0):
    return next(forms(name)).build(jax.random.key(seed), param_dtype="float64")


def inputs(cell, seed=1, time=TIME):
    return jnp.asarray(np.random.default_rng(seed).normal(size=(time, BATCH, *cell.spatial, FEATURES)))


def moved(cell, state, fields, step):
    """Copies of one sequence's state along the batch, each with one number moved by ``step``."""
    vector = np.asarray(flat(state, fields))[0]
    states = jax.tree.map(lambda a: jnp.repeat(a, len(vector), axis=0), state)
    shifted, at = vector + step * np.eye(len(vector)), 0
    for name in fields:
        shape = getattr(states, name).shape
        size = int(np.prod(shape[1:]))
        states = states._replace(**{name: jnp.asarray(shifted[:, at : at + size].reshape(shape))})
        at += size
    return states


@each_cell
def test_jacobians_are_those_of_finite_differences(name, x64):
    cell = build(name)
    xs = inputs(cell)
    warm = jax.tree.map(lambda a: a[-1], trajectory(cell, inputs(cell, 2)).after)  # a state that the cell can be in
    path, fields = trajectory(cell, xs, warm), state_fields(cell)
    found = jacobian_products(cell, path, [0, TIME])
    assert found.values.shape == (2, BATCH, found.width)
    np.testing.assert_allclose(found.values[0], 1)

    one = jax.tree.map(lambda a: a[:1], warm)
    ends = []
    for step in (STEP, -STEP):
        states = moved(cell, one, fields, step)
        repeated = jnp.repeat(xs[:, :1], found.width, axis=1)
        ends.append(np.asarray(flat(jax.tree.map(lambda a: a[-1], trajectory(cell, repeated, states).after), fields)))
    expected = np.linalg.svd((ends[0] - ends[1]) / (2 * STEP), compute_uv=False)
    np.testing.assert_allclose(found.values[1, 0], expected, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("name", ["lstm", "mlstm"])
def test_loss_gradients_are_those_of_finite_differences(name, x64):
    cell = build(name)
    xs, weights = inputs(cell), np.random.default_rng(3).normal(size=(TIME, BATCH, *cell.spatial, cell.output_size))

    def loss(outputs):
        return jnp.sum(weights * outputs**2)

    norms = loss_gradients(cell, xs, loss)
    path, at = trajectory(cell, xs), 1
    state = jax.tree.map(lambda a: a[at, :1], path.after)
    field = state_fields(cell)[0]
    size = getattr(state, field)[0].size

    def later(step):
        states = moved(cell, state, (field,), step)
        outputs = trajectory(cell, jnp.repeat(xs[at + 1 :, :1], size, axis=1), states).after.h
        own = jnp.sum(weights[at, :1] * states.h**2, axis=tuple(range(1, states.h.ndim)))
        return own + jnp.sum(weights[at + 1 :, :1] * outputs**2, axis=(0, *range(2, outputs.ndim)))

    expected = np.linalg.norm((later(STEP) - later(-STEP)) / (2 * STEP))
    np.testing.assert_allclose(norms[field][at, 0], expected, rtol=1e-5, atol=1e-9)


def test_the_direct_path_of_an_lstm_is_the_product_of_its_forget_gates(x64):
    cell = build("lstm")
    path = trajectory(cell, inputs(cell))
    np.testing.assert_allclose(direct_path(cell, path, "c"), np.prod(path.gates["forget"], axis=0), rtol=1e-12)


def test_without_recurrent_weights_memory_passes_by_the_forget_gate_alone(x64):
    cell = build("lstm")
    cell.recurrent.kernel[...] = jnp.zeros_like(cell.recurrent.kernel[...])
    path = trajectory(cell, inputs(cell))
    jacobian = field_jacobian(cell, path, "c")
    np.testing.assert_allclose(jax.vmap(jnp.diag)(jnp.prod(path.gates["forget"], axis=0)), jacobian, atol=1e-15)


def test_a_decay_gives_its_power_at_every_lag_far_beyond_rounding(x64):
    """An LRU multiplies pairs of numbers by |λ| alike, so that every singular value is known."""
    cell = make_cell("lru", FEATURES, 3, key=jax.random.key(0), param_dtype="float64", r_min=0.01)
    path = trajectory(cell, inputs(cell, time=90))
    found = jacobian_products(cell, path, [1, 40, 90])
    poles = np.exp(-np.exp(np.asarray(cell.nu)))
    for index, lag in enumerate((1, 40, 90)):
        np.testing.assert_allclose(found.largest[index], poles.max() ** lag, rtol=1e-9)
        np.testing.assert_allclose(found.geometric[index], np.exp(np.log(poles).mean() * lag), rtol=1e-9)
        np.testing.assert_allclose(found.typical[index], np.sqrt(np.mean(poles ** (2 * lag))), rtol=1e-9)


def test_large_states_are_looked_at_along_random_directions(x64, monkeypatch):
    cell = build("lstm")
    path = trajectory(cell, inputs(cell))
    whole = jacobian_products(cell, path, [3])
    monkeypatch.setattr(module, "FULL_WIDTH", 7)
    monkeypatch.setattr(module, "DIRECTIONS", 5)
    some = jacobian_products(cell, path, [3])
    assert some.values.shape == (1, BATCH, 5) and some.geometric is None and some.width == 8
    # Singular values of rows of a product interlace with those of all rows.
    assert (some.values <= whole.values[..., :5] + 1e-12).all() and (some.values >= whole.values[..., 3:] - 1e-12).all()


def test_a_lag_beyond_the_trajectory_is_refused(x64):
    cell = build("rnn")
    with pytest.raises(ValueError, match="from 0 to the 5 steps"):
        jacobian_products(cell, trajectory(cell, inputs(cell)), [6])
