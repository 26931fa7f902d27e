"""Lyapunov exponents against systems whose exponents are known, spectra and dimensions against constructions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lstmlab.cells import Cell, HState, make_cell
from lstmlab.explain import lyapunov_exponents, participation_ratio, recurrent_spectra, trajectory


class Henon(Cell):
    r"""The map of Hénon 1976, whose inputs play no part: :math:`x' = 1 - 1.4 x^2 + y, y' = 0.3 x`."""

    gates = ("unused",)

    @property
    def recurrent_gates(self):
        return ()

    @property
    def form(self):
        return "step"

    def step(self, state, z):
        x, y = state.h[..., 0], state.h[..., 1]
        return HState(jnp.stack([1 - 1.4 * x**2 + y, 0.3 * x], axis=-1)), {"unused": z}


def test_exponents_of_the_henon_map(x64):
    """0.4192 and -1.6232 (Sprott 2003, "Chaos and time-series analysis"); their sum is ln 0.3 exactly."""
    cell = Henon(1, 2, key=jax.random.key(0), param_dtype="float64")
    path = trajectory(cell, jnp.zeros((20_000, 1, 1)), HState(jnp.array([[0.1, 0.1]])))
    found = lyapunov_exponents(cell, path, skip=100)
    np.testing.assert_allclose(found, [[0.4192, -1.6232]], atol=5e-3)
    np.testing.assert_allclose(found.sum(), np.log(0.3), atol=1e-10)


def test_exponents_of_a_linear_cell_are_the_logarithms_of_its_poles(x64):
    cell = make_cell("lru", 2, 4, key=jax.random.key(0), param_dtype="float64", r_min=0.2)
    path = trajectory(cell, jnp.ones((400, 2, 2)))
    expected = np.sort(np.repeat(-np.exp(np.asarray(cell.nu)), 2))[::-1]  # twice each: real and imaginary part
    np.testing.assert_allclose(lyapunov_exponents(cell, path, skip=200), [expected, expected], atol=1e-4)
    np.testing.assert_allclose(lyapunov_exponents(cell, path, 3, skip=200), [expected[:3]] * 2, atol=1e-4)


def test_the_spectrum_of_an_orthogonal_start_is_one_gate_by_gate():
    spectra = recurrent_spectra(make_cell("gru", 2, 5, key=jax.random.key(0), reset="before"))
    assert list(spectra) == ["reset", "update", "candidate_recurrent"]
    for spectrum in spectra.values():
        np.testing.assert_allclose(spectrum.singular_values, 1, atol=1e-5)
        np.testing.assert_allclose(spectrum.eigenvalues, 1, atol=1e-5)


def test_cells_without_dense_maps_of_their_state_are_refused():
    with pytest.raises(ValueError, match="cell min_gru has no maps of its state"):
        recurrent_spectra(make_cell("min_gru", 2, 3, key=jax.random.key(0)))
    with pytest.raises(ValueError, match="cell conv_lstm has convolutional maps"):
        recurrent_spectra(make_cell("conv_lstm", 2, 3, key=jax.random.key(0), spatial=(4,)))


def test_the_participation_ratio_counts_dimensions():
    states = np.random.default_rng(0).normal(size=(20_000, 3)) @ np.eye(3, 7) + 5
    assert participation_ratio(states) == pytest.approx(3, abs=0.01)
    # Variances 4 and 1: (4 + 1)² / (16 + 1).
    assert participation_ratio(states[:, :2] * [2, 1]) == pytest.approx(25 / 17, abs=0.03)
    assert participation_ratio(np.ones((5, 3))) == 0
