"""Our cells against Flax Linen's."""

import jax
import jax.numpy as jnp
import pytest
from battery import HIDDEN, SPATIAL, Case
from flax import linen as nn
from oracles import blocks, check, jax_oracle

from lstmlab.cells import HCState, HState

FORMAT = {"features": HIDDEN, "param_dtype": "float64"}


def kernels(prefix, gates, stacked):
    """``{"ii": {"kernel": ...}, "if": ...}`` from kernels stacked gate by gate."""
    parts = jnp.split(stacked, len(gates), axis=-1)
    return {prefix + gate: {"kernel": part} for gate, part in zip(gates, parts, strict=True)}


def add_biases(weights, prefix, gates, stacked):
    for gate, bias in zip(gates, jnp.split(stacked, len(gates)), strict=True):
        weights[prefix + gate]["bias"] = bias
    return weights


def simple_weights(cell):
    W, U, b = blocks(cell, "candidate")
    return {"i": {"kernel": W, "bias": b}, "h": {"kernel": U}}


def lstm_weights(cell):
    W, U, b = blocks(cell, "input", "forget", "candidate", "output")
    return add_biases(kernels("i", "ifgo", W) | kernels("h", "ifgo", U), "h", "ifgo", b)


def gru_weights(cell):
    W, U, b = blocks(cell, "reset", "update", "candidate")
    weights = add_biases(kernels("i", "rzn", W) | kernels("h", "rzn", U), "i", "rzn", b)
    return add_biases(weights, "h", "n", jnp.asarray(cell.candidate_bias))


def conv_lstm_weights(cell):
    W, U, b = blocks(cell, "input", "candidate", "forget", "output")
    # Flax adds 1 to the forget gate inside the step: its forget bias is ours less 1.
    b = b - jnp.repeat(jnp.array([0.0, 0.0, 1.0, 0.0]), HIDDEN)
    return {"ih": {"kernel": W, "bias": b}, "hh": {"kernel": U, "bias": jnp.zeros_like(b)}}


def flax(module, weights_of):
    """Step a Linen cell over time; it carries ``(c, h)``, or ``h`` alone."""

    def forward(cell, xs, state):
        weights = {"params": weights_of(cell)}

        def step(carry, x):
            return module.apply(weights, carry, x)

        has_memory = isinstance(state, HCState)
        start = (state.c, state.h) if has_memory else state.h
        final, outputs = jax.lax.scan(step, start, xs)
        return outputs, HCState(final[1], final[0]) if has_memory else HState(final)

    return jax_oracle(forward)


def conv(rank, **settings):
    options = (("peepholes", False), ("map", "conv"))
    case = Case("conv_lstm", options[:1] if rank == 1 else options, SPATIAL[rank])
    return case, nn.ConvLSTMCell(kernel_size=(3,) * rank, **FORMAT), conv_lstm_weights


PAIRS = {
    "SimpleCell": (Case("rnn"), nn.SimpleCell(**FORMAT), simple_weights),
    "LSTMCell": (Case("lstm"), nn.LSTMCell(**FORMAT), lstm_weights),
    "OptimizedLSTMCell": (Case("lstm"), nn.OptimizedLSTMCell(**FORMAT), lstm_weights),
    "GRUCell": (Case("gru"), nn.GRUCell(**FORMAT), gru_weights),
    "ConvLSTMCell-1d": conv(1),
    "ConvLSTMCell-2d": conv(2),
}


@pytest.mark.parametrize(("case", "module", "weights_of"), PAIRS.values(), ids=PAIRS)
def test_agrees_with_flax(case, module, weights_of):
    check(case, flax(module, weights_of))
