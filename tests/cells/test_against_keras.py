"""Our cells against Keras' layers on the JAX backend."""

import jax
import jax.numpy as jnp
import pytest
from battery import HIDDEN, SPATIAL, Case
from oracles import blocks, check, jax_oracle

keras = pytest.importorskip("keras")
layers = keras.layers
FORMAT = {"return_sequences": True, "return_state": True}
CONV = {"filters": HIDDEN, "kernel_size": 3, "padding": "same", **FORMAT}


def rnn_weights(cell):
    return blocks(cell, "candidate")


def lstm_weights(cell):
    return blocks(cell, "input", "forget", "candidate", "output")


def gru_weights(cell):
    """With the reset after the product there are two biases, of ``x`` and of ``h``."""
    W, U, b = blocks(cell, "update", "reset", "candidate")
    zeros = jnp.zeros(HIDDEN)
    return W, U, jnp.stack([b, jnp.concatenate([zeros, zeros, jnp.asarray(cell.candidate_bias)])])


def gru_before_weights(cell):
    r, u, n = jnp.split(jnp.arange(3 * HIDDEN), 3)
    order = jnp.concatenate([u, r, n])
    gates, candidate = cell.recurrent.kernel, cell.candidate_recurrent.kernel
    U = jnp.concatenate([jnp.asarray(gates), jnp.asarray(candidate)], axis=-1)
    return cell.input.kernel[:, order], U[:, order], cell.input.bias[order]


def keras_layer(build, weights_of):
    """Call a layer with our weights, batch first; Keras' tanh gives float32 whatever the layer's dtype."""

    def forward(cell, xs, state):
        layer = build()
        cell, xs, state = jax.tree.map(lambda a: a.astype("float32"), (cell, xs, state))
        xs = jnp.swapaxes(xs, 0, 1)
        layer.build(xs.shape)
        frozen = [v.value for v in layer.non_trainable_variables]
        weights = [jnp.asarray(w) for w in weights_of(cell)]
        shown, _ = layer.stateless_call(weights, frozen, xs, initial_state=list(state))
        outputs, *final = [a.astype("float64") for a in shown]
        return jnp.swapaxes(outputs, 0, 1), type(state)(*final)

    return jax_oracle(forward)


NO_PEEPHOLES = (("peepholes", False),)
PAIRS = {
    "SimpleRNN": (Case("rnn"), lambda: layers.SimpleRNN(HIDDEN, **FORMAT), rnn_weights),
    "LSTM": (Case("lstm"), lambda: layers.LSTM(HIDDEN, **FORMAT), lstm_weights),
    "LSTM-relu-hard": (
        Case("lstm", (("activation", "relu"), ("gate_activation", "hard_sigmoid"))),
        lambda: layers.LSTM(HIDDEN, "relu", "hard_sigmoid", **FORMAT),
        lstm_weights,
    ),
    "GRU-reset-after": (
        Case("gru"),
        lambda: layers.GRU(HIDDEN, reset_after=True, **FORMAT),
        gru_weights,
    ),
    "GRU-reset-before": (
        Case("gru", (("reset", "before"),)),
        lambda: layers.GRU(HIDDEN, reset_after=False, **FORMAT),
        gru_before_weights,
    ),
    "ConvLSTM1D": (
        Case("conv_lstm", NO_PEEPHOLES, SPATIAL[1]),
        lambda: layers.ConvLSTM1D(recurrent_activation="sigmoid", **CONV),
        lstm_weights,
    ),
    "ConvLSTM2D": (
        Case("conv_lstm", NO_PEEPHOLES, SPATIAL[2]),
        lambda: layers.ConvLSTM2D(recurrent_activation="sigmoid", **CONV),
        lstm_weights,
    ),
}


@pytest.mark.parametrize(("case", "build", "weights_of"), PAIRS.values(), ids=PAIRS)
def test_agrees_with_keras(case, build, weights_of):
    assert keras.backend.backend() == "jax"
    check(case, keras_layer(build, weights_of), 5e-6)
