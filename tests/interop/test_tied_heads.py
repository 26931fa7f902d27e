"""A head that shares the embedding: its matrix goes to both layers of other frameworks, and comes back only as one."""

import jax
import numpy as np
import pytest
from interop_checks import FEATURES, HIDDEN, assert_close, assert_same_bits, randomised, refused

from lstmlab.interop import from_flax, from_keras, from_torch, to_flax, to_keras, to_torch
from lstmlab.models import SequenceModel
from lstmlab.tasks import Features, Tokens

WORDS = 11
PARTS = {"encoder": "embed.", "head": "linear."}


def tied(seed, **settings):
    key = jax.random.key(seed)
    both = Tokens(WORDS), Features(WORDS)
    return randomised(SequenceModel("lstm", *both, hidden_size=HIDDEN, key=key, tied_embeddings=True, **settings), seed)


def without(state, prefix):
    return {name: array for name, array in state.items() if not name.startswith(prefix)}


def test_round_trips_are_exact():
    model, other = tied(0), tied(1)
    assert_same_bits(from_torch(other, to_torch(model, **PARTS), **PARTS), model)
    for export, take in ((to_flax, from_flax), (to_keras, from_keras)):
        parts = export(model)
        assert_same_bits(take(other, parts.layers, head=parts.head, encoder=parts.encoder), model)


@pytest.mark.parametrize("width", [HIDDEN, FEATURES], ids=["shared as it is", "through a projection"])
def test_the_exported_layer_gives_the_same_logits(width):
    model = tied(2, embedding_size=width)
    state = to_torch(model, **PARTS)
    np.testing.assert_array_equal(state["embed.weight"], model.embedding)
    h = np.random.default_rng(0).normal(size=(4, HIDDEN)).astype("f4")
    expected = model.head(h, model.embedding)
    assert_close(h @ state["linear.weight"].T + state["linear.bias"], expected)
    for kernel, bias in (to_keras(model).head, to_flax(model).head.values()):
        assert_close(h @ kernel + bias, expected)


def test_a_head_that_is_not_the_embedding_is_refused():
    state = to_torch(tied(0), **PARTS)
    with refused("'linear.weight' is not the embedding", "model.tied_embeddings=true", "give the argument encoder"):
        from_torch(tied(1), without(state, "embed."), head="linear.")
    narrow = tied(2, embedding_size=FEATURES)
    state = to_torch(narrow, **PARTS)
    with refused("through a projection", "model.tied_embeddings=true", "leave out the argument head"):
        from_torch(narrow, state, **PARTS)
    taken = from_torch(tied(3, embedding_size=FEATURES), without(state, "linear."), encoder="embed.")
    assert_same_bits(taken.embedding, narrow.embedding)
