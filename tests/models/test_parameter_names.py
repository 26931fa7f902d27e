"""Names of parameters, under which checkpoints and ``model.npz`` hold them: older runs must load."""

import jax
import pytest

from lstmlab.models import EncoderDecoder, EncoderForecaster, RecursiveModel, SequenceModel
from lstmlab.tasks import Features, Pairs, Tokens
from lstmlab.training.checkpoint import named_leaves

CELL = ("input.bias", "input.kernel", "recurrent.kernel")
HEAD = ("head.bias", "head.kernel")


def cells(*paths):
    return {f"{path}.{name}" for path in paths for name in CELL}


def names(architecture, inputs, outputs, **settings):
    def build(key):
        return architecture("lstm", inputs, outputs, hidden_size=4, key=key, **settings)

    return set(named_leaves(jax.eval_shape(build, jax.random.key(0))))


def test_a_sequence_model():
    expected = {*cells("layers.0.forward", "layers.0.backward", "layers.1.forward", "layers.1.backward"), *HEAD}
    assert names(SequenceModel, Features(2), Features(3), layers=2, bidirectional=True) == expected
    embedded = {"embedding", *cells("layers.0.forward")}
    assert names(SequenceModel, Tokens(5), Features(3)) == {*embedded, *HEAD}
    assert names(SequenceModel, Tokens(5), Features(5), tied_embeddings=True) == {*embedded, "head.bias"}


@pytest.mark.parametrize(
    ("block", "parts"),
    [
        ("residual", ["norm.bias", "norm.scale"]),
        ("up_projection", ["norm.bias", "norm.scale", "up.kernel", "gate.kernel", "down.kernel"]),
    ],
)
def test_a_residual_stream(block, parts):
    stream = {"input_map.bias", "input_map.kernel", "final_norm.bias", "final_norm.scale"}
    expected = {*stream, *cells("layers.0.forward"), *(f"layers.0.block.{part}" for part in parts), *HEAD}
    assert names(SequenceModel, Features(2), Features(3), block=block) == expected


def test_a_recursive_model_is_named_as_a_sequence_model():
    assert names(RecursiveModel, Features(2), Features(1, (3, 1))) == {*cells("layers.0.forward"), *HEAD}


def test_an_encoder_forecaster():
    expected = {*cells("layers.0.forward", "forecaster.0.forward"), *HEAD}
    assert names(EncoderForecaster, Features(2), Features(2)) == expected


def test_an_encoder_decoder():
    settings = {"bidirectional": True, "attention": "additive"}
    expected = {
        "source_embedding", "target_embedding", "bridges.0.0", "bridges.0.1",
        *cells("encoder.0.forward", "encoder.0.backward", "decoder.0.forward"),
        "attention.keys.kernel", "attention.queries.kernel", "attention.score",
        "attention.combine.bias", "attention.combine.kernel", *HEAD,
    }  # fmt: skip
    assert names(EncoderDecoder, Pairs(5, 6), Features(6), **settings) == expected
