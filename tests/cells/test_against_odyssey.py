"""The Odyssey's variants against the equations of Greff et al. 2017, sections 2 and 3, as plain NumPy loops.

One step is the vanilla LSTM with the line of each variant; gradients by central differences of every number.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from battery import FEATURES, HIDDEN, Case, assert_close, problem
from oracles import check, numpy_oracle

from lstmlab.cells import HCState, Init, make_cell
from lstmlab.cells.fgr_lstm import FGRState
from lstmlab.recurrence import unroll

LETTERS = {"input": "i", "forget": "f", "candidate": "z", "output": "o"}
VARIANTS = ("NIG", "NFG", "NOG", "NIAF", "NOAF", "CIFG", "FGR")


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def paper_weights(cell):
    """``W``, ``R`` and ``b`` of block input z and gates i, f, o; ``p`` of the gates; ``R_ab`` from gate a to gate b."""
    weights = {}
    for k, gate in enumerate(cell.gates):
        mine, letter = slice(k * cell.hidden_size, (k + 1) * cell.hidden_size), LETTERS[gate]
        weights[f"W_{letter}"] = jnp.asarray(cell.input.kernel)[:, mine]
        weights[f"R_{letter}"] = jnp.asarray(cell.recurrent.kernel)[:, mine]
        weights[f"b_{letter}"] = jnp.asarray(cell.input.bias)[mine]
        if gate != "candidate":
            weights[f"p_{letter}"] = jnp.asarray(getattr(cell, f"{gate}_peephole"))
    if cell.name == "fgr_lstm":
        for gate in ("input", "forget", "output"):
            kernels = jnp.split(jnp.asarray(getattr(cell, f"{gate}_recurrent").kernel), 3, axis=-1)
            weights |= {f"R_{LETTERS[gate]}{to}": kernel for to, kernel in zip("ifo", kernels, strict=True)}
    return weights


def variant_step(variant, w, x, y, c, old):
    """One step of a variant from block output ``y``, memory ``c`` and the old gates."""

    def net(letter):
        return x @ w[f"W_{letter}"] + y @ w[f"R_{letter}"] + w[f"b_{letter}"]

    def gate(letter, memory):
        a = net(letter) + w[f"p_{letter}"] * memory
        if variant == "FGR":
            a = a + old["i"] @ w[f"R_i{letter}"] + old["f"] @ w[f"R_f{letter}"] + old["o"] @ w[f"R_o{letter}"]
        return sigmoid(a)

    z = net("z") if variant == "NIAF" else np.tanh(net("z"))
    f = np.ones_like(c) if variant == "NFG" else gate("f", c)
    if variant == "NIG":
        i = np.ones_like(c)
    elif variant == "CIFG":
        i = 1 - f
    else:
        i = gate("i", c)
    c = z * i + c * f
    o = np.ones_like(c) if variant == "NOG" else gate("o", c)
    y = (c if variant == "NOAF" else np.tanh(c)) * o
    return y, c, {"i": i, "f": f, "o": o}


def odyssey(variant):
    def forward(weights, xs, state):
        y, c = state[:2]
        gates = dict(zip("ifo", state[2:], strict=False))
        ys = []
        for x in xs:
            y, c, gates = variant_step(variant, weights, x, y, c, gates)
            ys.append(y)
        final = FGRState(y, c, gates["i"], gates["f"], gates["o"]) if variant == "FGR" else HCState(y, c)
        return np.stack(ys), final

    return numpy_oracle(forward, paper_weights)


@pytest.mark.parametrize("variant", VARIANTS)
def test_agrees_with_the_paper(variant):
    # Central differences with a step of 1e-5 are good to about 1e-9 in float64.
    check(Case(f"{variant.lower()}_lstm"), odyssey(variant), 1e-7)


def test_the_oracle_without_a_change_is_our_vanilla_lstm():
    check(Case("peephole_lstm"), odyssey("V"), 1e-7)


def parameters(name):
    cell = make_cell(name, FEATURES, HIDDEN, key=jax.random.key(0))
    return sum(leaf.size for leaf in jax.tree.leaves(cell))


GATE = (FEATURES + HIDDEN + 1 + 1) * HIDDEN  # both kernels, bias, peephole
MORE = {
    "nig_lstm": -GATE, "nfg_lstm": -GATE, "nog_lstm": -GATE, "cifg_lstm": -GATE,
    "niaf_lstm": 0, "noaf_lstm": 0, "lstm": -3 * HIDDEN, "fgr_lstm": 9 * HIDDEN * HIDDEN,
}  # fmt: skip


@pytest.mark.parametrize("name", MORE)
def test_parameters_beyond_the_vanilla_lstm(name):
    """What a variant leaves out is gone; full gate recurrence adds nine matrices."""
    assert parameters(name) - parameters("peephole_lstm") == MORE[name]


def test_full_gate_recurrence_without_its_matrices_is_the_vanilla_lstm():
    p = problem(Case("peephole_lstm"))
    cell = make_cell("fgr_lstm", FEATURES, HIDDEN, key=jax.random.key(0))
    for name in ("input", "recurrent", "input_peephole", "forget_peephole", "output_peephole"):
        setattr(cell, name, getattr(p.cell, name))
    for name in ("input_recurrent", "forget_recurrent", "output_recurrent"):
        setattr(cell, name, jax.tree.map(jnp.zeros_like, getattr(cell, name)))
    start = FGRState(*p.state, *(jnp.full_like(p.state.c, fill) for fill in (0.2, 0.7, 0.9)))
    ours, theirs = unroll(cell, p.xs, start), unroll(p.cell, p.xs, p.state, backend="scan")
    assert_close((ours.outputs, *ours.state[:2]), (theirs.outputs, *theirs.state), 1e-6)


def test_a_forget_bias_lets_the_coupled_cell_keep_its_memory():
    init = Init(input="zeros", recurrent="zeros", forget_bias=3.0)
    cell = make_cell("cifg_lstm", FEATURES, HIDDEN, key=jax.random.key(0), init=init)
    state = HCState(jnp.zeros((1, HIDDEN)), jnp.ones((1, HIDDEN)))
    new, gates = cell.step(state, cell.project(jnp.zeros((1, FEATURES))))
    np.testing.assert_allclose(gates["forget"], sigmoid(3.0), rtol=1e-6)
    np.testing.assert_allclose(new.c, sigmoid(3.0), rtol=1e-6)
