"""Cells with peepholes against the equations of their papers, written as plain NumPy loops.

Gers & Schmidhuber 2000, "Recurrent nets that time and count"; Shi et al. 2015, "Convolutional LSTM network", eq. 3.
Gradients by central differences of every number.
"""

import functools

import jax.numpy as jnp
import numpy as np
import pytest
from battery import SPATIAL, Case
from oracles import check, numpy_oracle

from lstmlab.cells import HCState

GATES = ("input", "forget", "candidate", "output")


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def paper_weights(cell):
    """``W`` and ``U`` and ``b`` per gate, ``p`` per gate that sees the memory."""
    weights = {}
    for k, gate in enumerate(cell.gates):
        mine = slice(k * cell.hidden_size, (k + 1) * cell.hidden_size)
        weights[gate] = {
            "W": jnp.asarray(cell.input.kernel)[..., mine],
            "U": jnp.asarray(cell.recurrent.kernel)[..., mine],
            "b": jnp.asarray(cell.input.bias)[mine],
        }
        if gate != "candidate":
            weights[gate]["p"] = jnp.asarray(getattr(cell, f"{gate}_peephole"))
    return weights


def matrix_product(x, W):
    return x @ W


@functools.cache
def windows(grid, window):
    """The places that the window at each place covers; those outside the grid are numbered ``-1``."""
    number = {place: k for k, place in enumerate(np.ndindex(grid))}
    offsets = [tuple(np.subtract(o, [(size - 1) // 2 for size in window])) for o in np.ndindex(window)]
    return [[number.get(tuple(np.add(place, o)), -1) for o in offsets] for place in number]


def convolution(x, W):
    """``y[place] = sum over offsets of x[place + offset] W[offset]``, with zeros around the grid."""
    batch, *grid, channels = x.shape
    *window, _, size = W.shape
    places = np.concatenate([x.reshape(batch, -1, channels), np.zeros((batch, 1, channels))], 1)
    covered = places[:, windows(tuple(grid), tuple(window))]
    return (covered.reshape(batch, *grid, -1) @ W.reshape(-1, size)).reshape(batch, *grid, size)


def peephole_lstm(product):
    def forward(weights, xs, state):
        h, c = state
        outputs = []
        for x in xs:
            a = {g: product(x, w["W"]) + product(h, w["U"]) + w["b"] for g, w in weights.items()}
            i = sigmoid(a["input"] + weights["input"]["p"] * c)
            f = sigmoid(a["forget"] + weights["forget"]["p"] * c)
            c = f * c + i * np.tanh(a["candidate"])
            o = sigmoid(a["output"] + weights["output"]["p"] * c)
            h = o * np.tanh(c)
            outputs.append(h)
        return np.stack(outputs), HCState(h, c)

    return numpy_oracle(forward, paper_weights)


PAIRS = {
    "Gers & Schmidhuber 2000": (Case("peephole_lstm"), matrix_product),
    "Shi et al. 2015, one axis": (Case("conv_lstm", (), SPATIAL[1]), convolution),
    "Shi et al. 2015, two axes": (Case("conv_lstm", (), SPATIAL[2]), convolution),
}


@pytest.mark.parametrize(("case", "product"), PAIRS.values(), ids=PAIRS)
def test_agrees_with_the_paper(case, product):
    # Central differences with a step of 1e-5 are good to about 1e-9 in float64.
    check(case, peephole_lstm(product), 1e-7)
