"""What a caller gives to a model is checked: one line that names the argument and the right shape."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from model_checks import BATCH, FEATURES, build

from lstmlab.models.encoder_decoder import EncoderDecoder
from lstmlab.models.generate import generate
from lstmlab.tasks import Features, Pairs, SourceTarget, Tokens

TIME = 5
LANGUAGE = {"inputs": Tokens(7), "outputs": Features(7)}
XS = np.linspace(-1, 1, BATCH * TIME * FEATURES, dtype="float32").reshape(BATCH, TIME, FEATURES)


def refused(error_type, model, *words, inputs=XS, **arguments):
    with pytest.raises(error_type) as error:
        model(inputs, **arguments)
    message = str(error.value)
    assert "\n" not in message
    for word in words:
        assert word in message, message


@pytest.mark.parametrize("shape", [(TIME, FEATURES), (TIME,), (BATCH, TIME, FEATURES + 1), (1, BATCH, TIME, FEATURES)])
def test_features_of_another_shape(shape):
    refused(ValueError, build(), str(shape), f"(batch, time, {FEATURES})", inputs=np.ones(shape, "float32"))


def test_features_that_are_no_numbers():
    refused(TypeError, build(), "inputs", "complex64", inputs=XS.astype("complex64"))


@pytest.mark.parametrize("tokens", [np.ones((2, 3, 1), int), np.ones(3, int)])
def test_tokens_of_another_shape(tokens):
    refused(ValueError, build(**LANGUAGE), str(tokens.shape), "(batch, time)", inputs=tokens)


def test_tokens_that_are_no_integers():
    refused(TypeError, build(**LANGUAGE), "float32", "integers", inputs=np.ones((2, 3), "float32"))


@pytest.mark.parametrize(("token", "kind"), [(-1, jnp.array), (7, np.array)])
def test_tokens_outside_the_vocabulary_where_they_are_read(kind, token):
    model, tokens = build(**LANGUAGE), np.ones((BATCH, TIME), "int32")
    tokens[1, 3] = token
    refused(ValueError, model, f"inputs[1, 3] is {token}", "0 to 6", inputs=kind(tokens))
    refused(ValueError, model, f"inputs[1, 3] is {token}", inputs=kind(tokens), lengths=[TIME, 4])
    clean = np.where(tokens == token, 0, tokens)
    mask = np.arange(TIME) != 3
    for padding in ({"lengths": [TIME, 3]}, {"mask": np.stack([mask, mask])}):
        one, other = (np.asarray(model(a, **padding).outputs) for a in (kind(tokens), clean))
        np.testing.assert_array_equal(one, other)
    model(np.full((BATCH, TIME), 6, "uint8"))  # the last there is


@pytest.mark.parametrize(("source", "target", "words"), [(4, 0, "source[0, 1] is 4"), (0, 6, "target[0, 1] is 6")])
def test_tokens_outside_one_of_two_vocabularies(source, target, words):
    model = EncoderDecoder("gru", Pairs(4, 6), Features(6), key=jax.random.key(0), hidden_size=3, readout="steps")
    refused(ValueError, model, words, inputs=SourceTarget(np.array([[3, source]]), np.array([[5, target]])))


@pytest.mark.parametrize("name", ["lengths", "resets", "mask"])
def test_an_encoder_decoder_takes_no_masks(name):
    model = EncoderDecoder("gru", Pairs(4, 6), Features(6), key=jax.random.key(0), hidden_size=3, readout="steps")
    inputs = SourceTarget(np.ones((1, 2), int), np.ones((1, 2), int))
    refused(ValueError, model, "mask", inputs=inputs, **{name: np.ones((1, 2), bool)})


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("lengths", np.array([3]), ValueError),
        ("lengths", [3, TIME + 1], ValueError),
        ("lengths", [3, -1], ValueError),
        ("lengths", [3.0, 2.0], TypeError),
        ("resets", np.zeros((TIME, BATCH), bool), ValueError),
        ("resets", np.zeros((BATCH, TIME)), TypeError),
        ("mask", np.ones((TIME, BATCH), bool), ValueError),
        ("mask", np.ones((BATCH, TIME), int), TypeError),
    ],
)
def test_masks_and_lengths(name, value, error):
    refused(error, build(), name, **{name: value})


def test_lengths_may_be_a_list():
    model = build()
    given = model(XS, lengths=[2, TIME])
    assert (given.outputs == model(XS, lengths=jnp.array([2, TIME])).outputs).all()
    assert not (given.outputs == model(XS).outputs).all()


def test_states_of_other_models():
    model, deeper = build(), build(layers=2)
    refused(ValueError, model, "one entry for each of 1 layers", state=deeper.initial_state(BATCH))
    refused(ValueError, model, "state.h has shape", state=model.initial_state(BATCH + 1))
    refused(ValueError, model, "HState", state=build("gru").initial_state(BATCH))


@pytest.mark.parametrize("prompt", [np.zeros((1, 0), int), np.zeros(3, int)])
def test_prompts_without_a_step(prompt):
    with pytest.raises(ValueError, match="prompt has shape"):
        generate(build(**LANGUAGE), prompt, 2, jax.random.key(0))


def test_a_negative_number_of_new_tokens():
    with pytest.raises(ValueError, match="length is -1, but must be at least 0"):
        generate(build(**LANGUAGE), np.zeros((1, 2), int), -1, jax.random.key(0))
