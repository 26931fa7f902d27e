"""What does not fit is refused in one line that names the key, what was expected and what came."""

import contextlib
import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import numpy as np
import pytest
from interop_checks import FEATURES, HIDDEN, blank

from lstmlab.cells import cell_names
from lstmlab.interop import (
    cell_from_torch,
    cell_to_flax,
    cell_to_keras,
    cell_to_torch,
    from_flax,
    from_keras,
    from_torch,
    to_flax,
    to_keras,
    to_torch,
)
from lstmlab.models.sequence import working_shape
from lstmlab.tasks import Features

GATES = 4 * HIDDEN


@contextlib.contextmanager
def refused(*words):
    with pytest.raises(ValueError) as caught:
        yield
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message, message


def any_model(name):
    spatial = working_shape(name, {}, Features(FEATURES, (4, 4)))
    return blank(name, spatial=spatial)


@pytest.mark.parametrize("name", sorted(set(cell_names()) - {"rnn", "lstm", "gru"}))
def test_cells_without_counterpart(name):
    model = any_model(name)
    for framework, export in (("PyTorch", to_torch), ("Keras", to_keras), ("Flax", to_flax)):
        with refused(f"cell {name}", framework):
            export(model)


def test_torch_missing_layer():
    with refused("PyTorch state dict", "'lstm.weight_ih_l1'", str((GATES, HIDDEN))):
        state = to_torch(blank("lstm"), prefix="lstm.")
        from_torch(blank("lstm", layers=2), state, prefix="lstm.")


@pytest.mark.parametrize(
    "shape, key", [({"layers": 2}, "weight_ih_l1"), ({"bidirectional": True}, "_l0_reverse")]
)
def test_torch_left_over(shape, key):
    with refused("no place for", key):
        from_torch(blank("lstm"), to_torch(blank("lstm", **shape)))


def test_torch_wrong_prefix_suggests_the_right_name():
    with refused("'weight_ih_l0' is missing", "did you mean 'lstm.weight_ih_l0'"):
        from_torch(blank("lstm"), to_torch(blank("lstm"), prefix="lstm."))


def test_torch_wrong_shape():
    with refused("'weight_ih_l0'", f"expected {(GATES, FEATURES)}", f"{(3 * HIDDEN, FEATURES)}"):
        from_torch(blank("lstm"), to_torch(blank("gru")))
    state = to_torch(blank("lstm"), head="fc.")
    state["fc.weight"] = np.zeros((9, HIDDEN))
    with refused("'fc.weight'", f"expected {(2, HIDDEN)}", f"{(9, HIDDEN)}"):
        from_torch(blank("lstm"), state, head="fc.")


@pytest.mark.parametrize("has", [True, False])
def test_biases_on_one_side_only(has):
    one, other = blank("gru", bias=has), blank("gru", bias=not has)
    with refused("bias_ih_l0", "cell.bias"):
        from_torch(one, to_torch(other))
    with refused("layers[0].bias", "cell.bias"):
        from_keras(one, to_keras(other).layers)


def test_torch_projection_is_unknown():
    state = to_torch(blank("lstm")) | {"weight_hr_l0": np.zeros((HIDDEN, HIDDEN))}
    with refused("no place for 'weight_hr_l0'"):
        from_torch(blank("lstm"), state)


def test_torch_cell_needs_the_suffix_of_its_layer():
    cell = blank("lstm").layers[0].forward
    with refused("'weight_ih' is missing", "weight_ih_l0"):
        cell_from_torch(cell, to_torch(blank("lstm")))


@pytest.mark.parametrize(
    "name, option, value",
    [
        ("lstm", "activation", "relu"),
        ("lstm", "gate_activation", "hard_sigmoid"),
        ("gru", "activation", "identity"),
        ("gru", "reset", "before"),
        ("lstm", "map", "diagonal"),
        ("rnn", "map", "diagonal"),
    ],
)
def test_torch_options_without_counterpart(name, option, value):
    model = blank(name, **{option: value})
    with refused(f"cell {name}", f"cell.{option}", value):
        to_torch(model)
    with refused(f"cell.{option}"):
        cell_to_torch(model.layers[0].forward)


@pytest.mark.parametrize("export", [to_torch, to_keras, to_flax])
def test_residual_blocks(export):
    with refused("model.block=residual"):
        export(blank("lstm", block="residual"))


def test_encoders_that_the_model_lacks():
    with refused("encoder"):
        to_torch(blank("lstm"), encoder="embed.")
    with refused("encoder", "model.embedding_size"):
        from_torch(blank("lstm"), to_torch(blank("lstm")) | {"e.weight": 1.0}, encoder="e.")


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


def test_convolutions_are_for_the_lstm_only():
    cell = blank("gru", map="conv", spatial=(4, 4)).layers[0].forward
    for export in (cell_to_keras, cell_to_flax):
        with refused("cell gru", "cell.map=conv"):
            export(cell)
    with refused("cell lstm", "cell.map=conv"):
        to_torch(blank("lstm", map="conv", spatial=(4, 4)))
    with refused("peepholes", "cell.peepholes=false"):
        to_keras(blank("conv_lstm", spatial=(4, 4)))


def test_flax_layouts():
    gru, lstm = (blank(name).layers[0].forward for name in ("gru", "lstm"))
    with refused("layout is 'torch'", "linen, nnx, nnx_optimized"):
        cell_to_flax(lstm, "torch")
    with refused("cell gru", "nnx_optimized"):
        cell_to_flax(gru, "nnx_optimized")
    with refused("candidate_bias is not zero"):
        cell_to_flax(gru, "nnx")
    with refused("linen"):
        cell_to_flax(blank("lstm", map="conv", spatial=(4,)).layers[0].forward, "nnx")


def test_flax_has_neither_bias_free_cells_nor_the_first_gru():
    linen = to_flax(blank("lstm")).layers
    with refused("cell.bias is false"):
        from_flax(blank("lstm", bias=False), linen)
    for name, settings, word in (
        ("lstm", {"bias": False}, "cell.bias is false"),
        ("gru", {"reset": "before"}, "cell.reset=after only, but it is before"),
        ("conv_lstm", {"bias": False, "peepholes": False, "spatial": (4, 4)}, "cell.bias"),
        ("lstm", {"map": "conv", "activation": "relu", "spatial": (4, 4)}, "cell.activation"),
    ):
        with refused(f"cell {name}", word):
            to_flax(blank(name, **settings))


def test_flax_parameters_that_do_not_fit():
    params = to_flax(blank("lstm")).layers
    with refused("1 recurrent layer(s)", "of 2"):
        from_flax(blank("lstm"), params * 2)
    with refused("layers[0] must be a pair"):
        from_flax(blank("lstm", bidirectional=True), params)
    with refused("'layers[0][0]/ir/kernel' is missing"):
        from_flax(blank("gru"), params)
    with refused("no place for 'layers[0][0]/more'"):
        from_flax(blank("lstm"), [params[0] | {"more": np.zeros(3)}])
    params[0]["hf"]["kernel"] = np.zeros((2, 2))
    with refused("'layers[0][0]/hf/kernel'", "(2, 2)", f"expected {(HIDDEN, HIDDEN)}"):
        from_flax(blank("lstm"), params)


def test_a_failed_import_leaves_the_model_alone():
    model = blank("lstm")
    before = [np.array(leaf) for leaf in jax.tree.leaves(model)]
    state = to_torch(blank("lstm", seed=7), head="fc.") | {"fc.surplus": np.zeros(1)}
    with refused("fc.surplus"):
        from_torch(model, state, head="fc.")
    for old, new in zip(before, jax.tree.leaves(model), strict=True):
        np.testing.assert_array_equal(old, new)
