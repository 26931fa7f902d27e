"""A head that shares the token embedding: outputs and gradients against a model whose head has a matrix of its own."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from model_checks import HIDDEN, build, close, compiled, run

from lstmlab.models import EncoderDecoder, EncoderForecaster
from lstmlab.tasks import Features, Pairs, SourceTarget, Tokens

VOCABULARY = 7
TOKENS = jnp.asarray([[0, 6, 3, 3], [1, 1, 2, 5]])


def pair(**settings):
    """A tied model, and one that has the same numbers in a head of its own."""
    made = [
        build(inputs=Tokens(VOCABULARY), outputs=Features(VOCABULARY), tied_embeddings=tied, **settings)
        for tied in (True, False)
    ]
    tied, own = made
    own.embedding, own.layers, own.final_norm = tied.embedding, tied.layers, tied.final_norm
    table = tied.embedding[...].T
    own.head.kernel[...] = table if tied.head.projection is None else tied.head.projection.kernel[...] @ table
    own.head.bias[...] = tied.head.bias[...]
    return tied, own


@pytest.mark.parametrize(
    "settings", [{}, {"embedding_size": 3, "bidirectional": True}, {"embedding_size": 3, "block": "up_projection"}]
)
def test_outputs_are_those_of_a_head_with_the_transposed_embedding(settings):
    tied, own = pair(**settings)
    # A residual stream is as wide as the embedding, whatever the cells show.
    assert (tied.head.projection is None) == ("bidirectional" not in settings)
    close(run(tied, TOKENS).outputs, run(own, TOKENS).outputs)


def test_the_gradient_of_the_shared_matrix_is_the_sum_of_both():
    graded = compiled(jax.grad(lambda model: jnp.sum(jnp.sin(model(TOKENS).outputs))))
    tied, own = (graded(model) for model in pair())
    inside, outside = own.embedding[...], own.head.kernel[...].T
    assert min(float(jnp.abs(part).max()) for part in (inside, outside)) > 1e-2
    close(tied.embedding[...], inside + outside)
    close(tied.head.bias[...], own.head.bias[...])
    close(jax.tree.leaves(tied.layers), jax.tree.leaves(own.layers))


def count(model):
    return sum(leaf.size for leaf in jax.tree.leaves(model))


def test_the_matrix_is_counted_once():
    tied, own = pair()
    assert count(own) - count(tied) == VOCABULARY * HIDDEN
    narrow, own = pair(embedding_size=3)
    assert count(own) - count(narrow) == VOCABULARY * HIDDEN - HIDDEN * 3


def test_products_run_in_the_compute_dtype_and_answers_are_float32():
    tied, own = pair(dtype="bfloat16")
    h = jnp.asarray(np.random.default_rng(0).normal(size=(2, HIDDEN)), jnp.float32)
    ours = tied.head(h, tied.embedding)
    assert ours.dtype == jnp.float32
    np.testing.assert_array_equal(ours, own.head(h))
    assert not np.allclose(ours, pair()[0].head(h, tied.embedding), rtol=1e-6)


def test_a_decoder_shares_the_embedding_of_what_it_writes():
    settings = {"hidden_size": HIDDEN, "key": jax.random.key(0), "embedding_size": 3}
    pairs = Pairs(source=9, target=VOCABULARY)
    tied, own = (
        EncoderDecoder("gru", pairs, Features(VOCABULARY), tied_embeddings=tied, **settings) for tied in (True, False)
    )
    for name in ("source_embedding", "target_embedding", "encoder", "decoder"):
        setattr(own, name, getattr(tied, name))
    own.head.kernel[...] = tied.head.kernel(tied.target_embedding)
    teach = compiled(lambda model, inputs: model(inputs).outputs)
    inputs = SourceTarget(jnp.asarray([[3, 8, 4]]), jnp.asarray([[1, 6, 5, 3]]))
    close(teach(tied, inputs), teach(own, inputs))


@pytest.mark.parametrize(
    ("inputs", "outputs", "words"),
    [
        (Features(2), Features(2), ["tokens as inputs", "inputs are features"]),
        (Tokens(9), Features(4), ["9 different tokens", "4 outputs"]),
        (Tokens(6), Features(3, (2,)), ["6 different tokens", "2 × 3 outputs"]),
    ],
)
def test_what_has_no_common_matrix_is_refused(inputs, outputs, words):
    with pytest.raises(ValueError) as caught:
        build(inputs=inputs, outputs=outputs, tied_embeddings=True)
    message = str(caught.value)
    assert "\n" not in message
    for word in ["model.tied_embeddings=true", "use model.tied_embeddings=false", *words]:
        assert word in message


def test_other_architectures_refuse_alike():
    settings = {"hidden_size": HIDDEN, "key": jax.random.key(0), "tied_embeddings": True}
    with pytest.raises(ValueError, match=r"model\.tied_embeddings=true needs tokens"):
        EncoderForecaster("lstm", Features(2), Features(2), **settings)
    with pytest.raises(ValueError, match=r"reads 7 different tokens and has 5 outputs"):
        EncoderDecoder("lstm", Pairs(5, 7), Features(5), **settings)
