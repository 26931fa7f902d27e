"""Probes and resets against memories that are known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lstmlab.cells import Cell, HState
from lstmlab.explain import linear_probe, reset_effect, trajectory


class ShiftRegister(Cell):
    """Remembers the last inputs, one per unit, and nothing of those before."""

    gates = ("written",)

    @property
    def recurrent_gates(self):
        return ()

    @property
    def form(self):
        return "step"

    def project(self, x):
        return x

    def step(self, state, z):
        return HState(jnp.concatenate([z, state.h[..., :-1]], axis=-1)), {"written": z}


@pytest.fixture(scope="module")
def register():
    cell = ShiftRegister(1, 3, key=jax.random.key(0))
    xs = jax.random.normal(jax.random.key(1), (30, 20, 1))
    return cell, xs, trajectory(cell, xs)


def test_a_probe_reads_what_a_shift_register_holds_and_nothing_else(register):
    _, xs, path = register
    found = linear_probe(np.asarray(path.after.h), np.asarray(xs), [0, 1, 2, 3, 6])
    np.testing.assert_allclose(found.score[:3, 0], 1, atol=1e-3)
    assert (found.score[3:, 0] < 0.1).all() and (found.chance == 0).all()


def test_a_probe_reads_tokens_by_their_accuracy(register):
    tokens = np.random.default_rng(0).choice(3, size=(30, 20), p=[0.5, 0.3, 0.2])
    states = np.eye(3)[np.roll(tokens, 1, axis=0)]
    found = linear_probe(states, tokens, [1, 4])
    assert found.score[0] == 1 and found.score[1] < 0.65
    np.testing.assert_allclose(found.chance, 0.5, atol=0.1)


def test_a_probe_counts_valid_steps_alone(register):
    _, xs, path = register
    broken = np.asarray(path.after.h).copy()
    broken[20:] = 1e6
    found = linear_probe(broken, np.asarray(xs), [2], np.arange(30)[:, None] < np.full(20, 20))
    np.testing.assert_allclose(found.score, 1, atol=1e-3)


def test_a_reset_costs_what_a_shift_register_no_longer_holds(register):
    cell, xs, path = register
    effect = reset_effect(cell, path, [1, 2, 3, 10])
    last = np.asarray(xs)[:, :, 0]
    norms = np.linalg.norm(last[-3:], axis=0)
    np.testing.assert_allclose(effect[0], np.linalg.norm(last[-3:-1], axis=0) / norms, rtol=1e-5)
    np.testing.assert_allclose(effect[1], abs(last[-3]) / norms, rtol=1e-5)
    np.testing.assert_allclose(effect[2:], 0, atol=1e-6)
    with pytest.raises(ValueError, match="from 1 to the 30 steps"):
        reset_effect(cell, path, [0])


def test_a_probe_refuses_what_it_cannot_judge():
    with pytest.raises(ValueError, match="at least two sequences"):
        linear_probe(np.zeros((4, 1, 2)), np.zeros((4, 1), int), [0])
    with pytest.raises(ValueError, match="no sequence has 5 steps"):
        linear_probe(np.zeros((4, 2, 2)), np.zeros((4, 2), int), [4])
