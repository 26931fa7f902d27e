"""What the papers say of linear cells beside their equations: first values, limits, other forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from battery import HIDDEN, assert_close, show

from lstmlab.cells import make_cell


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def test_gates_of_a_min_lstm_sum_to_one_where_both_close():
    cell = make_cell("min_lstm", 1, 1, key=jax.random.key(0))
    gates = cell.activate(jnp.array([[-200.0, -201.0, 0.0], [-1e30, -1e30, 0.0], [50.0, -50.0, 0.0]]), None)
    np.testing.assert_allclose(gates["forget"][:, 0], [sigmoid(1.0), 0.5, 1.0], rtol=1e-6)
    np.testing.assert_allclose(gates["forget"] + gates["input"], 1, rtol=1e-6)


def test_an_lru_scales_an_input_of_its_own_size_feature_by_feature(x64):
    """``D x`` with a vector is ``D x`` with a diagonal matrix."""
    cell = make_cell("lru", HIDDEN, HIDDEN, key=jax.random.key(0))
    assert cell.skip_weight.shape == (HIDDEN,) and cell.input.kernel.shape == (HIDDEN, 2 * HIDDEN)
    whole = make_cell("lru", HIDDEN, HIDDEN, key=jax.random.key(0), skip="matrix")
    for name in ("nu", "theta", "gamma", "output"):
        setattr(whole, name, getattr(cell, name))
    whole.input.kernel = jnp.concatenate([cell.input.kernel[...], jnp.diag(cell.skip_weight[...])], axis=-1)
    xs = jax.random.normal(jax.random.key(1), (5, 2, HIDDEN), "float64")
    results = [show(c, xs, c.initial_state(2), backend="scan") for c in (cell, whole)]
    assert_close(results[0], results[1], 1e-6)


def test_poles_of_an_lru_start_uniform_on_their_ring():
    cell = make_cell("lru", 1, 4000, key=jax.random.key(0), r_min=0.5, r_max=0.9, max_phase=1.0)
    radius, phase = np.exp(-np.exp(cell.nu)), np.exp(cell.theta)
    # Uniform in the area: the square of the radius is what is uniform.
    for values, low, high in ((radius**2, 0.25, 0.81), (phase, 0.0, 1.0)):
        assert low - 1e-5 <= values.min() and values.max() <= high + 1e-5
        quantiles = np.quantile(values, [0.25, 0.5, 0.75])
        np.testing.assert_allclose(quantiles, low + (high - low) * np.array([0.25, 0.5, 0.75]), atol=0.03)
    np.testing.assert_allclose(np.exp(cell.gamma), np.sqrt(1 - radius**2), rtol=1e-4)


@pytest.mark.parametrize(("r_min", "r_max"), [(0.9, 0.5), (0.5, 0.5), (0.5, 1.1)])
def test_a_ring_that_is_none_is_refused(r_min, r_max):
    with pytest.raises(ValueError, match=f"r_min={r_min:g} must be below r_max={r_max:g}"):
        make_cell("lru", 1, 2, key=jax.random.key(0), r_min=r_min, r_max=r_max)


def test_memory_of_an_lru_starts_with_the_scale_of_its_input():
    """``γ``: white noise of variance 1 in both parts of ``B x`` gives a memory of that variance, for every pole."""
    cell = make_cell("lru", 1, 64, key=jax.random.key(0), r_max=0.98)
    drive = np.random.default_rng(0).normal(size=(2, 3000, 50, 64))
    pole, _ = cell.coefficients(dict.fromkeys(("real", "imaginary"), jnp.zeros(64)))
    c, squares = np.zeros((50, 64), complex), 0
    for real, imaginary in zip(*drive, strict=True):
        c = np.asarray(pole) * c + np.exp(cell.gamma) * (real + 1j * imaginary)
        squares = squares + np.abs(c) ** 2 / 2
    np.testing.assert_allclose(squares.mean(0) / 3000, 1, atol=0.1)


def test_decay_of_an_rg_lru_starts_uniform_with_the_gate_open():
    cell = make_cell("rg_lru", 1, 4000, key=jax.random.key(0), decay_start="paper")
    gates = {"recurrence": jnp.ones(4000), "input": jnp.ones(4000), "candidate": jnp.ones(4000)}
    a, scaled = cell.coefficients(gates)
    assert a.min() >= 0.9 - 1e-4 and a.max() <= 0.999 + 1e-4
    np.testing.assert_allclose(np.quantile(a, [0.25, 0.5, 0.75]), 0.9 + 0.099 * np.array([0.25, 0.5, 0.75]), atol=0.006)
    np.testing.assert_allclose(scaled, np.sqrt(1 - np.asarray(a, "float64") ** 2), rtol=1e-3)


@pytest.mark.parametrize("pre_activation", [-1e4, -200.0, -90.0, -50.0, -20.0])
def test_closed_gate_of_an_rg_lru_has_the_gradient_of_the_limit(pre_activation):
    """``sqrt(1 - a²) ≈ sqrt(2 · 8 softplus(Λ) exp(z))`` for a closed gate, and half of that is its slope."""
    cell = make_cell("rg_lru", 1, 1, key=jax.random.key(0))

    def scale(z):
        return cell.coefficients(cell.activate(jnp.array([z, 1e4, 1.0]), None))[1][0]

    value, slope = jax.value_and_grad(scale)(pre_activation)
    expected = np.sqrt(16 * np.logaddexp(0, float(cell.rate[0]))) * np.exp(pre_activation / 2)
    tiny = 1e-18  # below, a gate of float32 is zero
    np.testing.assert_allclose([value, slope], [expected, expected / 2], rtol=1e-4, atol=tiny)


def test_an_sru_normalises_and_projects_what_its_products_read(x64):
    plain = make_cell("sru", HIDDEN, HIDDEN, key=jax.random.key(0))
    cell = make_cell("sru", HIDDEN, HIDDEN, key=jax.random.key(1), layer_norm=True, projection=2)
    cell.norm_gain, cell.norm_shift = cell.norm_gain[...] * 1.5, cell.norm_shift[...] + 0.25
    x = np.random.default_rng(0).normal(size=(3, HIDDEN))
    normed = 1.5 * (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5) + 0.25
    kernel = np.asarray(cell.first_map.kernel) @ np.asarray(cell.input.kernel)
    assert kernel.shape == plain.input.kernel.shape
    plain.input.kernel = jnp.asarray(kernel)
    # The highway still sees x itself.
    expected = np.concatenate([np.asarray(plain.project(jnp.asarray(normed)))[:, : 3 * HIDDEN], x], axis=-1)
    np.testing.assert_allclose(cell.project(jnp.asarray(x)), expected, rtol=1e-6, atol=1e-7)
