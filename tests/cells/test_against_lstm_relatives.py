"""Relatives of the LSTM with the same products, against the equations of their papers as plain NumPy loops.

Ba, Kiros & Hinton 2016, supplement (layer normalisation); van der Westhuizen & Lasenby 2018 (JANET); Gu et al.
2020, section 3 (UR-LSTM). Gradients by central differences of every number.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from battery import BATCH, FEATURES, HIDDEN, Case, assert_close, problem
from oracles import blocks, check, numpy_oracle

from lstmlab.cells import HCState, HState, Init, make_cell
from lstmlab.cells.zoo.layer_norm_lstm import LayerNormLSTM


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def stacked(*names):
    """``W``, ``U``, ``b`` with the gates in the order of the paper."""

    def weights_of(cell):
        return dict(zip("WUb", blocks(cell, *names), strict=True))

    return weights_of


def loop(step, state_type):
    """A whole sequence from one step ``step(weights, x, *state) -> state``."""

    def forward(weights, xs, state):
        outputs = []
        for x in xs:
            state = state_type(*step(weights, x, *state))
            outputs.append(state.h)
        return np.stack(outputs), state

    return forward


def layer_normalised(z, gain, shift):
    mean = z.mean(-1, keepdims=True)
    deviation = np.sqrt(((z - mean) ** 2).mean(-1, keepdims=True) + 1e-5)
    return gain * (z - mean) / deviation + shift


def layer_norm_step(w, x, h, c):
    a = layer_normalised(h @ w["U"], *w["1"]) + layer_normalised(x @ w["W"], *w["2"]) + w["b"]
    f, i, o, g = np.split(a, 4, -1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(layer_normalised(c, *w["3"])), c


def layer_norm_weights(cell):
    order = ("forget", "input", "output", "candidate")

    def sorted_gates(vector):
        parts = dict(zip(cell.gates, jnp.split(jnp.asarray(vector), 4), strict=True))
        return jnp.concatenate([parts[name] for name in order])

    return stacked(*order)(cell) | {
        "1": (sorted_gates(cell.recurrent_gain), sorted_gates(cell.recurrent_shift)),
        "2": (sorted_gates(cell.input_gain), sorted_gates(cell.input_shift)),
        "3": (jnp.asarray(cell.memory_gain), jnp.asarray(cell.memory_shift)),
    }


def janet_step(beta):
    def step(w, x, c):
        s, candidate = np.split(x @ w["W"] + c @ w["U"] + w["b"], 2, -1)
        return (sigmoid(s) * c + (1 - sigmoid(s - beta)) * np.tanh(candidate),)

    return step


def refined_step(w, x, h, c):
    f, r, u, o = np.split(x @ w["W"] + h @ w["U"] + w["b"], 4, -1)
    f, r, u, o = sigmoid(f), sigmoid(r), np.tanh(u), sigmoid(o)
    g = r * (1 - (1 - f) ** 2) + (1 - r) * f**2
    c = g * c + (1 - g) * u
    return o * np.tanh(c), c


PAIRS = {
    "layer-normalised LSTM": (Case("layer_norm_lstm"), loop(layer_norm_step, HCState), layer_norm_weights),
    **{
        f"JANET, beta {beta:g}": (
            Case("janet", options),
            loop(janet_step(beta), HState),
            stacked("forget", "candidate"),
        )
        for beta, options in ((1.0, ()), (0.0, (("beta", 0.0),)), (2.5, (("beta", 2.5),)))
    },
    "UR-LSTM": (Case("ur_lstm"), loop(refined_step, HCState), stacked("forget", "refine", "candidate", "output")),
}


@pytest.mark.parametrize(("case", "forward", "weights_of"), PAIRS.values(), ids=PAIRS)
def test_agrees_with_the_paper(case, forward, weights_of):
    # Central differences with a step of 1e-5 are good to about 1e-9 in float64.
    check(case, numpy_oracle(forward, weights_of), 1e-7)


def test_a_normalised_step_ignores_the_scale_and_the_mean_of_its_products():
    p = problem(Case("layer_norm_lstm"))
    cell = make_cell("layer_norm_lstm", FEATURES, HIDDEN, key=jax.random.key(1), init=Init(scale=8.0))
    plain = make_cell("layer_norm_lstm", FEATURES, HIDDEN, key=jax.random.key(1))
    (ours, _), (theirs, _) = (one.step(p.state, one.project(p.xs[0])) for one in (cell, plain))
    assert_close(ours, theirs, 1e-3)
    r = p.cell.recurrent(p.state.h)
    z = p.cell.project(p.xs[0])
    assert_close(p.cell.update(p.state, z, r + 3.0)[0], p.cell.update(p.state, z, r)[0])


def test_normalised_products_without_bias_have_no_shift():
    cell = LayerNormLSTM(FEATURES, HIDDEN, key=jax.random.key(0), bias=False)
    assert cell.input_shift is None and cell.recurrent_shift is None
    full = make_cell("layer_norm_lstm", FEATURES, HIDDEN, key=jax.random.key(0))
    sizes = [sum(leaf.size for leaf in jax.tree.leaves(one)) for one in (full, cell)]
    assert sizes[0] - sizes[1] == 3 * 4 * HIDDEN


def test_a_zero_state_is_normalised_to_zero():
    """A product without variance: the first step has finite numbers and finite gradients."""
    cell = make_cell("layer_norm_lstm", FEATURES, HIDDEN, key=jax.random.key(0))
    x = jnp.ones((BATCH, FEATURES))

    def shown(cell, x):
        return cell.step(cell.initial_state(BATCH), cell.project(x))[0].h.sum()

    gradients = jax.grad(shown, argnums=(0, 1))(cell, x)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradients))
    assert np.isfinite(shown(cell, jnp.zeros_like(x)))


def test_units_of_janet_may_outgrow_their_candidate():
    """With s = 3 and a candidate of 1 a unit rests at (1 + e^3) / (1 + e^(3 - beta)): above 1, below e to the beta."""
    rest = (1 + np.exp(3.0)) / (1 + np.exp(2.0))
    assert 1 < rest < np.exp(1.0)
    cell = make_cell("janet", FEATURES, HIDDEN, key=jax.random.key(0))
    z = jnp.concatenate([jnp.full((1, HIDDEN), 3.0), jnp.full((1, HIDDEN), 30.0)], axis=-1)
    new, _ = cell.update(HState(jnp.full((1, HIDDEN), rest)), z, jnp.zeros_like(z))
    np.testing.assert_allclose(new.h, rest, rtol=1e-6)


def test_refined_gates_start_spread_and_opposed():
    units = 1000
    init = Init(input="zeros", recurrent="zeros")
    cell = make_cell("ur_lstm", FEATURES, units, key=jax.random.key(0), init=init)
    _, gates = cell.step(cell.initial_state(1), cell.project(jnp.zeros((1, FEATURES))))
    forget, refine = np.asarray(gates["forget"]), np.asarray(gates["refine"])
    np.testing.assert_allclose(forget + refine, 1, atol=1e-6)
    assert 1 / units <= forget.min() < 0.01 and 0.99 < forget.max() <= 1 - 1 / units + 1e-6
    assert np.histogram(forget, 10, (0, 1))[0].min() > 60
    np.testing.assert_allclose(gates["output"], 0.5, atol=1e-6)


@pytest.mark.parametrize("refine", [0.0, 0.5, 1.0])
def test_the_refine_gate_moves_the_forget_gate_within_its_band(refine):
    """From f squared to its mirror image; in the middle nothing changes."""
    cell = make_cell("ur_lstm", FEATURES, HIDDEN, key=jax.random.key(0))
    f = np.array([0.1, 0.4, 0.5, 0.9])
    logits = {"forget": np.log(f / (1 - f)), "refine": np.full(4, (refine - 0.5) * 60)}
    z = jnp.concatenate([jnp.asarray(logits.get(gate, np.zeros(4)), "float32") for gate in cell.gates])
    state = HCState(jnp.zeros((1, HIDDEN)), jnp.ones((1, HIDDEN)))
    new, _ = cell.update(state, z, jnp.zeros((1, 4 * HIDDEN)))
    expected = {0.0: f**2, 0.5: f, 1.0: 1 - (1 - f) ** 2}[refine]
    np.testing.assert_allclose(new.c[0], expected, atol=1e-6)
