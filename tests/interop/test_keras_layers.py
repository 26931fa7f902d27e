"""Weights from and to Keras: every layer, depth, direction and bias gives the same outputs."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import numpy as np
import pytest
from interop_checks import (
    FEATURES,
    HIDDEN,
    OUTPUTS,
    TIME,
    assert_close,
    assert_same_bits,
    blank,
    compiled,
    run,
    sequences,
    top_outputs,
)

from lstmlab.interop import cell_from_keras, cell_to_keras, from_keras, to_keras
from lstmlab.tasks import Tokens

keras = pytest.importorskip("keras")
layers = keras.layers

# Keras 3.15 converts its variables in a way that NumPy 2 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

KINDS = {
    "rnn_tanh": ("rnn", {}, layers.SimpleRNN, {}),
    "rnn_relu": ("rnn", {"activation": "relu"}, layers.SimpleRNN, {"activation": "relu"}),
    "lstm": ("lstm", {}, layers.LSTM, {}),
    "lstm_hard": (
        "lstm",
        {"activation": "softsign", "gate_activation": "hard_sigmoid"},
        layers.LSTM,
        {"activation": "softsign", "recurrent_activation": "hard_sigmoid"},
    ),
    "gru_after": ("gru", {"reset": "after"}, layers.GRU, {"reset_after": True}),
    "gru_before": ("gru", {"reset": "before"}, layers.GRU, {"reset_after": False}),
}


def ours(kind, **settings):
    name, options, _, _ = KINDS[kind]
    return blank(name, **options, **settings)


def random_weights(layer, seed=3):
    """Keras starts with zero biases, which would hide a misplaced one."""
    draw = np.random.default_rng(seed)
    layer.set_weights([0.4 * draw.normal(size=w.shape).astype("f4") for w in layer.get_weights()])
    return layer


def theirs(kind, depth=1, bidirectional=False, bias=True):
    _, _, cls, settings = KINDS[kind]
    stack, width = [], FEATURES
    for index in range(depth):
        layer = cls(HIDDEN, use_bias=bias, return_sequences=True, **settings)
        if bidirectional:
            layer = layers.Bidirectional(layer)
        layer.build((None, TIME, width))
        stack.append(random_weights(layer, index))
        width = HIDDEN * (2 if bidirectional else 1)
    head = layers.Dense(OUTPUTS)
    head.build((None, TIME, width))
    return stack, random_weights(head)


def in_keras(*stack):
    """The layers one after the other, compiled once: weights set later are seen."""

    @compiled
    def call(variables, inputs):
        for layer, (trainable, other) in zip(stack, variables, strict=True):
            inputs, _ = layer.stateless_call(trainable, other, inputs)
        return inputs

    def run_keras(inputs):
        variables = [
            [[v.value for v in part] for part in (x.trainable_variables, x.non_trainable_variables)] for x in stack
        ]
        return np.asarray(call(variables, inputs))

    return run_keras


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no_bias"])
@pytest.mark.parametrize("depth, bidirectional", [(1, False), (2, True)], ids=["one", "two_both"])
@pytest.mark.parametrize("kind", KINDS)
def test_outputs_are_equal_both_ways(kind, depth, bidirectional, bias):
    stack, head = theirs(kind, depth, bidirectional, bias)
    start = ours(kind, layers=depth, bidirectional=bidirectional, bias=bias)
    inputs, run_keras = sequences(), in_keras(*stack, head)
    assert_close(run(from_keras(start, stack, head=head), inputs).outputs, run_keras(inputs))

    parts = to_keras(start)
    for layer, arrays in zip([*stack, head], [*parts.layers, parts.head], strict=True):
        layer.set_weights(arrays)
    assert_close(run(start, inputs).outputs, run_keras(inputs))


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no_bias"])
@pytest.mark.parametrize("kind", KINDS)
def test_round_trips_are_exact(kind, bias):
    shape = {"layers": 2, "bidirectional": True, "bias": bias}
    model = ours(kind, seed=1, **shape)
    parts = to_keras(model)
    loaded = from_keras(ours(kind, seed=2, **shape), parts.layers, head=parts.head)
    assert_same_bits(loaded, model)
    again = to_keras(loaded)
    for one, other in zip(parts.layers, again.layers, strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("spatial", [(9,), (6, 5)], ids=["ConvLSTM1D", "ConvLSTM2D"])
@pytest.mark.parametrize("cell, kernel, bias", [("conv_lstm", 3, True), ("conv_lstm", 2, False), ("lstm", 3, True)])
def test_convolutional_lstm(cell, kernel, bias, spatial):
    cls = layers.ConvLSTM1D if len(spatial) == 1 else layers.ConvLSTM2D
    layer = cls(HIDDEN, kernel, padding="same", use_bias=bias, return_sequences=True)
    layer.build((None, TIME, *spatial, FEATURES))
    random_weights(layer)
    options = {"peepholes": False} if cell == "conv_lstm" else {"map": "conv"}
    start = blank(cell, spatial=spatial, kernel_size=kernel, bias=bias, **options)
    inputs, run_keras = sequences(*spatial), in_keras(layer)
    loaded = from_keras(start, [layer])
    assert_close(top_outputs(loaded, inputs), run_keras(inputs))
    layer.set_weights(to_keras(start).layers[0])
    assert_close(top_outputs(start, inputs), run_keras(inputs))
    assert_same_bits(from_keras(loaded, to_keras(start).layers).layers, start.layers)


def test_last_step_of_both_directions():
    """``Bidirectional`` without ``return_sequences`` gives what the readout ``last`` reads."""
    layer = layers.Bidirectional(layers.LSTM(HIDDEN))
    layer.build((None, TIME, FEATURES))
    head = layers.Dense(OUTPUTS)
    head.build((None, 2 * HIDDEN))
    model = from_keras(blank("lstm", bidirectional=True, readout="last"), [layer], head=head)
    inputs = sequences()
    assert_close(run(model, inputs).outputs, in_keras(layer, head)(inputs))


@pytest.mark.parametrize("kind", KINDS)
def test_single_cells_and_plain_lists(kind):
    (layer,), _ = theirs(kind)
    cell = ours(kind).layers[0].forward
    from_layer, from_list = cell_from_keras(cell, layer), cell_from_keras(cell, layer.get_weights())
    assert_same_bits(from_layer, from_list)
    for ours_, theirs_ in zip(cell_to_keras(cell), layer.get_weights(), strict=True):
        assert ours_.shape == theirs_.shape
    wrapped = layers.RNN(layer.cell, return_sequences=True)
    assert_same_bits(cell_from_keras(cell, wrapped), from_list)
    assert_same_bits(cell_from_keras(cell, layer.cell), from_list)


def test_embedding_and_input_map_are_encoders():
    (layer,), head = theirs("lstm")
    embedding = layers.Embedding(11, FEATURES)
    embedding.build()
    model = blank("lstm", inputs=Tokens(11), embedding_size=FEATURES)
    loaded = from_keras(model, [layer], head=head, encoder=embedding)
    tokens = np.random.default_rng(0).integers(0, 11, (4, TIME))
    assert_close(run(loaded, tokens).outputs, in_keras(embedding, layer, head)(tokens))
    embedding.set_weights(to_keras(model).encoder)
    np.testing.assert_array_equal(embedding.get_weights()[0], model.embedding)

    mapped = blank("lstm", embedding_size=4)
    parts = to_keras(mapped)
    other = blank("lstm", embedding_size=4, seed=5)
    loaded = from_keras(other, parts.layers, head=parts.head, encoder=parts.encoder)
    assert_same_bits(loaded, mapped)


def test_head_may_be_time_distributed_and_without_bias():
    (layer,), _ = theirs("lstm")
    head = layers.TimeDistributed(layers.Dense(OUTPUTS, use_bias=False))
    head.build((None, TIME, HIDDEN))
    inputs = sequences()
    loaded = from_keras(ours("lstm"), [layer], head=head)
    assert_close(run(loaded, inputs).outputs, in_keras(layer, head)(inputs))


def test_dropout_layers_carry_no_further_weights():
    layer = layers.LSTM(HIDDEN, dropout=0.2, recurrent_dropout=0.1, return_sequences=True)
    layer.build((None, TIME, FEATURES))
    inputs = sequences()
    assert_close(top_outputs(from_keras(ours("lstm"), [layer]), inputs), in_keras(layer)(inputs))
