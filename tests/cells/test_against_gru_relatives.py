"""The GRU's relatives against the equations of their papers, written as plain NumPy loops.

Zhou et al. 2016, "Minimal gated unit for recurrent neural networks", eq. 6; Jozefowicz, Zaremba & Sutskever 2015, "An
empirical exploration of recurrent network architectures", section 4.2. Rows are sequences, so products stand the other
way round. Gradients by central differences of every number.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from battery import Case, assert_close
from oracles import check, numpy_oracle

from lstmlab.cells import HState, make_cell


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def blocks(array, gates):
    return dict(zip(gates, jnp.split(jnp.asarray(array), len(gates), axis=-1), strict=True))


def paper_weights(cell):
    """``W``, ``U`` and ``b`` by the gate that they belong to; all extra maps of the state are of one gate."""
    W = blocks(cell.input.kernel, getattr(cell, "projected", cell.gates))
    U = blocks(cell.recurrent.kernel, cell.recurrent_gates)
    for name in ("candidate", "update"):
        extra = getattr(cell, f"{name}_recurrent", None)
        if extra is not None:
            U[name] = jnp.asarray(extra.kernel)
    weights = {"W": W, "U": U, "b": blocks(cell.input.bias, cell.gates)}
    inner = getattr(cell, "candidate_bias", None)
    return weights if inner is None else weights | {"c": jnp.asarray(inner)}


def mgu(W, U, b, x, h):
    f = sigmoid(h @ U["update"] + x @ W["update"] + b["update"])
    new = np.tanh((f * h) @ U["candidate"] + x @ W["candidate"] + b["candidate"])
    return (1 - f) * h + f * new


def mgu_after(W, U, b, x, h, c):
    """The gate after the product, with a bias of its own, as cuDNN defines the GRU's reset gate."""
    f = sigmoid(h @ U["update"] + x @ W["update"] + b["update"])
    new = np.tanh(f * (h @ U["candidate"] + c) + x @ W["candidate"] + b["candidate"])
    return (1 - f) * h + f * new


def seen(W, gate, x):
    """``x_t`` itself, as in the paper, or a projection of it."""
    return x @ W[gate] if gate in W else x


def mut1(W, U, b, x, h):
    z = sigmoid(x @ W["update"] + b["update"])
    r = sigmoid(x @ W["reset"] + h @ U["reset"] + b["reset"])
    new = np.tanh((r * h) @ U["candidate"] + np.tanh(seen(W, "candidate", x)) + b["candidate"])
    return new * z + h * (1 - z)


def mut2(W, U, b, x, h):
    z = sigmoid(x @ W["update"] + h @ U["update"] + b["update"])
    r = sigmoid(seen(W, "reset", x) + h @ U["reset"] + b["reset"])
    new = np.tanh((r * h) @ U["candidate"] + x @ W["candidate"] + b["candidate"])
    return new * z + h * (1 - z)


def mut3(W, U, b, x, h):
    z = sigmoid(x @ W["update"] + np.tanh(h) @ U["update"] + b["update"])
    r = sigmoid(x @ W["reset"] + h @ U["reset"] + b["reset"])
    new = np.tanh((r * h) @ U["candidate"] + x @ W["candidate"] + b["candidate"])
    return new * z + h * (1 - z)


def loop(equations):
    def forward(weights, xs, state):
        (h,), outputs = state, []
        for x in xs:
            h = equations(**weights, x=x, h=h)
            outputs.append(h)
        return np.stack(outputs), HState(h)

    return numpy_oracle(forward, paper_weights)


PAIRS = [
    (Case("mgu"), mgu),
    (Case("mgu", (("reset", "after"),)), mgu_after),
    (Case("mut1"), mut1),
    (Case("mut2"), mut2),
    (Case("mut3"), mut3),
]


@pytest.mark.parametrize(("case", "equations"), PAIRS, ids=lambda p: str(p) if isinstance(p, Case) else "")
def test_agrees_with_the_paper(case, equations):
    # Central differences with a step of 1e-5 are good to about 1e-9 in float64.
    check(case, loop(equations), 1e-7)


@pytest.mark.parametrize(("name", "equations", "direct"), [("mut1", mut1, "candidate"), ("mut2", mut2, "reset")])
def test_an_input_of_the_states_size_is_seen_as_it_is(name, equations, direct):
    """As published: no projection stands before ``x_t``, and none is a parameter."""
    cell = make_cell(name, 5, 5, key=jax.random.key(0))
    cell = jax.tree.map(lambda a: a + 0.3 * jax.random.normal(jax.random.key(1), a.shape), cell)
    weights = paper_weights(cell)
    assert direct not in weights["W"] and cell.input.kernel.shape == (5, 10)
    x, h = np.random.default_rng(0).normal(size=(2, 3, 5)).astype("float32")
    state, _ = cell.step(HState(jnp.asarray(h)), cell.project(x))
    assert_close(state.h, equations(**jax.tree.map(np.asarray, weights), x=x, h=h))
