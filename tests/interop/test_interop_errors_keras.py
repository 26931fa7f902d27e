"""Keras weights and settings that do not fit are refused in one line that names the key."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import pytest
from interop_checks import FEATURES, HIDDEN, blank, refused

from lstmlab.interop import from_keras, to_keras

# Keras 3.15 converts its variables in a way that NumPy 2 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def test_keras_lists_of_the_wrong_length():
    arrays = to_keras(blank("lstm")).layers[0]
    with refused("1 recurrent layer(s)", "3 Keras layer(s)"):
        from_keras(blank("lstm"), arrays)
    with refused("layers[0]", "4 arrays", "expected 2 or 3"):
        from_keras(blank("lstm"), [[*arrays, arrays[0]]])
    with refused("layers[0]", "3 arrays", "expected 4 or 6", "both directions"):
        from_keras(blank("lstm", bidirectional=True), [arrays])
    with refused("head", "3 arrays"):
        from_keras(blank("lstm"), [arrays], head=arrays)
    with refused("layers[0].kernel", "(3, 20)", "(3, 15)"):
        from_keras(blank("gru"), [arrays])


def keras_layer(cls, *args, spatial=(), **settings):
    keras = pytest.importorskip("keras")
    layer = getattr(keras.layers, cls)(*args, **settings)
    layer.build((None, 4, *spatial, FEATURES))
    return layer


@pytest.mark.parametrize(
    "name, cls, key, value",
    [
        ("lstm", "LSTM", "activation", "relu"),
        ("lstm", "LSTM", "recurrent_activation", "hard_sigmoid"),
        ("rnn", "SimpleRNN", "activation", "relu"),
        ("gru", "GRU", "reset_after", False),
        ("lstm", "LSTM", "go_backwards", True),
    ],
)
def test_keras_settings_that_differ(name, cls, key, value):
    with refused("Keras layers[0]", f"{key} is {value!r}", f"cell {name}"):
        from_keras(blank(name), [keras_layer(cls, HIDDEN, **{key: value})])


@pytest.mark.parametrize(
    "settings, key",
    [
        ({"padding": "valid"}, "padding"),
        ({"padding": "same", "strides": 2}, "strides"),
        ({"padding": "same", "dilation_rate": 2}, "dilation_rate"),
    ],
)
def test_keras_convolutions_that_differ(settings, key):
    layer = keras_layer("ConvLSTM2D", HIDDEN, 3, spatial=(6, 6), **settings)
    with refused("Keras layers[0]", f"{key} is {layer.get_config()[key]!r}"):
        from_keras(blank("conv_lstm", spatial=(6, 6), peepholes=False), [layer])


def test_keras_directions_that_differ():
    keras = pytest.importorskip("keras")
    plain, one = keras_layer("LSTM", HIDDEN), blank("lstm")
    both = keras.layers.Bidirectional(keras.layers.LSTM(HIDDEN), merge_mode="sum")
    both.build((None, 4, FEATURES))
    with refused("model.bidirectional"):
        from_keras(one, [both])
    with refused("model.bidirectional"):
        from_keras(blank("lstm", bidirectional=True), [plain])
    with refused("merge_mode is 'sum'"):
        from_keras(blank("lstm", bidirectional=True), [both])
    with refused("Keras head", "activation is 'relu'"):
        from_keras(one, [plain], head=keras_layer("Dense", 2, activation="relu"))
