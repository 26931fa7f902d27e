"""Statistics and time constants of gates, against values that were put in."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lstmlab.cells import Init, cell_entry, make_cell
from lstmlab.explain import fractions, gate_statistics, memory_time_constants, trajectory


def test_statistics_count_valid_steps_alone():
    gate = np.array([[[0.05, 0.5]], [[0.95, 0.5]], [[0.95, 0.25]], [[0.3, 0.3]]])
    valid = np.array([[True], [True], [True], [False]])
    found = gate_statistics(gate, valid)
    assert found.mean == pytest.approx((0.05 + 0.95 + 0.95 + 0.5 + 0.5 + 0.25) / 6)
    assert (found.closed, found.open) == (pytest.approx(1 / 6), pytest.approx(2 / 6))
    np.testing.assert_allclose(found.open_units, [2 / 3, 0])
    np.testing.assert_allclose(found.closed_units, [1 / 3, 0])
    assert found.histogram.sum() == pytest.approx(1) and found.histogram[5] == pytest.approx(1 / 6)


def test_only_activations_between_0_and_1_are_gates():
    cell = make_cell("rnn", 2, 3, key=jax.random.key(0))
    assert fractions(trajectory(cell, jnp.ones((4, 1, 2))).gates) == {}
    lstm = make_cell("lstm", 2, 3, key=jax.random.key(0))
    assert set(fractions(trajectory(lstm, jnp.ones((4, 1, 2))).gates)) == {"input", "forget", "output"}


@pytest.mark.parametrize(
    ("name", "gate", "bias"), [("lstm", "forget", 3.0), ("gru", "update", 2.0), ("mgu", "update", 2.0)]
)
def test_a_bias_alone_gives_the_time_constant_of_its_sigmoid(name, gate, bias):
    """Without weights f = σ(b), so τ = 1 + exp(b): also where the gate opens for new input and f is its complement."""
    cell = make_cell(name, 2, 3, key=jax.random.key(0), init=Init(forget_bias=bias, scale=0.0))
    found = memory_time_constants(cell, trajectory(cell, jnp.ones((4, 2, 2))).gates)
    np.testing.assert_allclose(found[gate], np.full((8, 3), 1 + np.exp(bias)), rtol=1e-4)


def test_a_cell_without_a_keeping_gate_is_refused():
    with pytest.raises(ValueError, match="cell rnn has no gate that keeps its memory"):
        memory_time_constants(cell_entry("rnn").cls, {})
