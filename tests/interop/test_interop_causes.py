"""A refused import names the cause, not only a shape; narrow types are widened before anything is computed."""

import jax.numpy as jnp
import numpy as np
import pytest
from interop_checks import FEATURES, HIDDEN, blank, refused

from lstmlab.interop import cell_from_flax, cell_to_flax, from_keras, from_torch, to_keras, to_torch
from lstmlab.interop.source import to_numpy
from lstmlab.tasks import Tokens


def renamed(state, old, new):
    return {k.replace(old, new): v for k, v in state.items()}


def test_half_precision_biases_are_added_in_float32():
    state = {k: np.asarray(v, "float16") for k, v in to_torch(blank("lstm")).items()}
    state["bias_ih_l0"][:], state["bias_hh_l0"][:] = 1.0, 2.0**-11
    bias = np.asarray(from_torch(blank("lstm"), state).layers[0].forward.input.bias)
    np.testing.assert_array_equal(bias, np.float32(1 + 2.0**-11))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float8_e4m3fn"])
def test_narrow_floats_become_float32(dtype):
    array = to_numpy(jnp.asarray([0.5, -2.0], dtype))
    assert array.dtype == np.float32
    np.testing.assert_array_equal(array, [0.5, -2.0])
    assert to_numpy(np.zeros(2)).dtype == np.float64


def test_torch_modules_and_halves():
    torch = pytest.importorskip("torch")
    module = torch.nn.LSTM(FEATURES, HIDDEN)
    exact = from_torch(blank("lstm"), module).layers[0].forward.input.bias
    wanted = (module.bias_ih_l0 + module.bias_hh_l0).detach().numpy()
    np.testing.assert_array_equal(np.asarray(exact), wanted)
    half = torch.nn.LSTM(FEATURES, HIDDEN).bfloat16()
    got = from_torch(blank("lstm"), half).layers[0].forward.input.bias
    wanted = (half.bias_ih_l0.float() + half.bias_hh_l0.float()).detach().numpy()
    np.testing.assert_array_equal(np.asarray(got), wanted)


def test_flax_parameters_in_bfloat16_are_added_in_float32():
    cell = blank("conv_lstm", spatial=(4,), peepholes=False).layers[0].forward
    params = cell_to_flax(cell)
    narrow = {k: {n: jnp.asarray(a, "bfloat16") for n, a in part.items()} for k, part in params.items()}
    wide = {k: {n: np.asarray(a, "float32") for n, a in part.items()} for k, part in narrow.items()}
    got, wanted = (np.asarray(cell_from_flax(cell, tree).input.bias) for tree in (narrow, wide))
    np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("wrapper", ["module.", "_orig_mod.", "model.lstm."])
def test_wrong_prefixes_are_listed(wrapper):
    with refused(f"did you mean '{wrapper}weight_ih_l0'", f"prefixes '{wrapper}'"):
        from_torch(blank("lstm"), to_torch(blank("lstm"), prefix=wrapper))


@pytest.mark.parametrize("new", ["weight_hh_l0_g", "parametrizations.weight_hh_l0.original0"])
def test_weight_norm_is_named(new):
    state = to_torch(blank("lstm"), prefix="rnn.")
    state[f"rnn.{new}"] = state.pop("rnn.weight_hh_l0")
    with refused("weight norm", new):
        from_torch(blank("lstm"), state, prefix="rnn.")


@pytest.mark.parametrize("cell", ["lstm", "lstmp"])
def test_projections_are_named(cell):
    state = to_torch(blank("lstm")) | {"weight_hr_l0": np.zeros((2, HIDDEN), "float32")}
    with refused("proj_size" if cell == "lstm" else "no counterpart"):
        from_torch(blank(cell), state)


def test_other_things_than_dictionaries():
    with pytest.raises(TypeError, match=r"state_dict\(\)"):
        from_torch(blank("lstm"), [1, 2])


def test_layers_of_unequal_width_and_mixed_cells_in_torch():
    state = to_torch(blank("lstm", layers=2))
    narrow = state | {"weight_ih_l1": np.zeros((8, HIDDEN)), "weight_hh_l1": np.zeros((8, 2))}
    with refused("2 units", f"{HIDDEN}", "layers"):
        from_torch(blank("lstm", layers=2), narrow)
    mixed = state | {"weight_ih_l1": np.zeros((3 * HIDDEN, HIDDEN)), "weight_hh_l1": np.zeros((3 * HIDDEN, HIDDEN))}
    with refused("nn.GRU", "lstm"):
        from_torch(blank("lstm", layers=2), mixed)


class Layer:
    """What from_keras asks of a layer."""

    def __init__(self, arrays, **config):
        self.arrays, self.config = arrays, {"name": "one", **config}

    def get_weights(self):
        return self.arrays

    def get_config(self):
        return self.config


class GRU(Layer):
    pass


@pytest.mark.parametrize(
    ("config", "words"),
    [({"units": 2}, ("units", "2")), ({"activation": "relu"}, ("activation", "relu"))],
    ids=str,
)
def test_keras_layers_that_differ(config, words):
    with refused(*words):
        from_keras(blank("lstm"), [Layer(to_keras(blank("lstm")).layers[0], **config)])


def test_keras_layers_of_another_kind():
    with refused("GRU", "lstm"):
        from_keras(blank("lstm"), [GRU(to_keras(blank("gru")).layers[0])])


@pytest.mark.parametrize("config", [{"kernel_size": (3, 5)}, {"padding": "valid"}, {"kernel_size": [5, 5]}], ids=str)
def test_keras_convolutions_that_differ(config):
    model = blank("conv_lstm", spatial=(4, 4), peepholes=False)
    with refused(next(iter(config))):
        from_keras(model, [Layer(to_keras(model).layers[0], **config)])


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_keras_embeddings_that_mask_are_refused_and_a_mask_does_what_they_do(kind, bidirectional):
    keras = pytest.importorskip("keras")
    keras.utils.set_random_seed(0)
    layer = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[kind](HIDDEN)
    layer = keras.layers.Bidirectional(layer) if bidirectional else layer
    embedding, dense = keras.layers.Embedding(6, 4, mask_zero=True), keras.layers.Dense(2)
    net = keras.Sequential([embedding, layer, dense])
    tokens = np.array([[0, 0, 3, 1], [2, 5, 4, 1], [0, 2, 0, 5]])
    expected = np.asarray(net(tokens))
    model = blank(kind, inputs=Tokens(6), embedding_size=4, readout="last", bidirectional=bidirectional)
    with refused("mask_zero", "mask="):
        from_keras(model, [layer], encoder=embedding)
    model = from_keras(model, [layer], head=dense, encoder=embedding.get_weights())
    found = np.asarray(model(tokens, mask=tokens != 0).outputs)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    assert np.abs(np.asarray(model(tokens).outputs) - expected).max() > 1e-3
