"""The Odyssey's variants against NumPy loops after section 3 of Greff et al. 2017: vanilla, with one line changed."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from battery import FEATURES, HIDDEN, Case, assert_close, problem
from oracles import check, numpy_oracle

from lstmlab.cells import HCState, Init, make_cell
from lstmlab.cells.zoo.fgr_lstm import FGRState
from lstmlab.recurrence import unroll


def sigma(a):
    return 1 / (1 + np.exp(-a))


def weights_of(cell):
    """``W``, ``R``, ``b`` of the block input z and the gates i, f, o; ``p`` of the gates; ``R_ab`` of FGR."""
    letters = {"input": "i", "forget": "f", "candidate": "z", "output": "o"}
    weights = {}
    for k, gate in enumerate(cell.gates):
        mine, letter = slice(k * cell.hidden_size, (k + 1) * cell.hidden_size), letters[gate]
        weights[f"W{letter}"] = jnp.asarray(cell.input.kernel)[:, mine]
        weights[f"R{letter}"] = jnp.asarray(cell.recurrent.kernel)[:, mine]
        weights[f"b{letter}"] = jnp.asarray(cell.input.bias)[mine]
        if gate != "candidate":
            weights[f"p{letter}"] = jnp.asarray(getattr(cell, f"{gate}_peephole"))
    if cell.name == "fgr_lstm":
        for a in ("input", "forget", "output"):
            blocks = jnp.split(jnp.asarray(getattr(cell, f"{a}_recurrent").kernel), 3, axis=1)
            weights |= {f"R{letters[a]}{b}": block for b, block in zip("ifo", blocks, strict=True)}
    return weights


def variant(name):
    def step(w, x, y, c, gates):
        def net(k):
            return x @ w[f"W{k}"] + y @ w[f"R{k}"] + w[f"b{k}"]

        def fed(k):
            return sum(gates[a] @ w[f"R{a}{k}"] for a in "ifo") if name == "FGR" else 0

        z = net("z") if name == "NIAF" else np.tanh(net("z"))
        f = 1.0 if name == "NFG" else sigma(net("f") + w["pf"] * c + fed("f"))
        if name == "NIG":
            i = 1.0
        elif name == "CIFG":
            i = 1 - f
        else:
            i = sigma(net("i") + w["pi"] * c + fed("i"))
        c = z * i + c * f
        o = 1.0 if name == "NOG" else sigma(net("o") + w["po"] * c + fed("o"))
        return (c if name == "NOAF" else np.tanh(c)) * o, c, {"i": i, "f": f, "o": o}

    def forward(w, xs, state):
        y, c, *old = state
        gates, ys = dict(zip("ifo", old, strict=False)), []
        for x in xs:
            y, c, gates = step(w, x, y, c, gates)
            ys.append(y)
        final = FGRState(y, c, *gates.values()) if name == "FGR" else HCState(y, c)
        return np.stack(ys), final

    return numpy_oracle(forward, weights_of)


@pytest.mark.parametrize("name", ["NIG", "NFG", "NOG", "NIAF", "NOAF", "CIFG", "FGR"])
def test_agrees_with_the_paper(name):
    # Central differences with a step of 1e-5 are good to about 1e-9 in float64.
    check(Case(f"{name.lower()}_lstm"), variant(name), 1e-7)


def test_what_a_variant_leaves_out_has_no_parameters():
    def count(name):
        return sum(a.size for a in jax.tree.leaves(make_cell(name, 3, 4, key=jax.random.key(0))))

    gate = 3 * 4 + 4 * 4 + 4 + 4  # kernels, bias, peephole
    vanilla = count("peephole_lstm")
    for name in ("nig_lstm", "nfg_lstm", "nog_lstm", "cifg_lstm"):
        assert vanilla - count(name) == gate
    assert count("niaf_lstm") == count("noaf_lstm") == vanilla
    assert vanilla - count("lstm") == 3 * 4
    assert count("fgr_lstm") - vanilla == 9 * 4 * 4


def test_the_oracle_without_a_change_is_our_vanilla_lstm():
    check(Case("peephole_lstm"), variant("V"), 1e-7)


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
    np.testing.assert_allclose(gates["forget"], sigma(3.0), rtol=1e-6)
    np.testing.assert_allclose(new.c, sigma(3.0), rtol=1e-6)
