"""Encoder and decoder: padding changes nothing, steps equal teacher forcing, beams equal exhaustive search."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lstmlab.cells import cell_entry, cell_names
from lstmlab.models import EncoderDecoder
from lstmlab.models.attention import Attention
from lstmlab.models.beam import beam_search
from lstmlab.settings import settings_of
from lstmlab.tasks import Features, Pairs, SourceTarget

PAIRS = Pairs(source=8, target=6)
SOURCE = jnp.asarray([[3, 4, 5, 6], [7, 3, 0, 0]])
TARGET = jnp.asarray([[1, 3, 4], [1, 5, 0]])


def build(cell="lstm", **options):
    settings = {"hidden_size": 4, "key": jax.random.key(0), "attention": "general", "bidirectional": True}
    return EncoderDecoder(cell, PAIRS, Features(PAIRS.target), **settings | options)


def close(a, b):
    np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def forced(model, source, target):
    return model(SourceTarget(source, target)).outputs


encode = jax.jit(lambda model, source: model.encode(source))
decode = jax.jit(lambda model, encoded, target, state: model.decode(encoded, target, state))
teach = jax.jit(forced)


def wider(tokens, more=3):
    return jnp.pad(tokens, ((0, 0), (0, more)))


@pytest.mark.parametrize(
    ("attention", "block"), [("none", "plain"), ("general", "residual"), ("additive", "up_projection")]
)
def test_padding_changes_neither_outputs_nor_gradients(attention, block):
    model = build(attention=attention, block=block, layers=2)

    def loss(model, source, target):
        outputs = model(SourceTarget(source, target)).outputs[:, : TARGET.shape[1]]
        return jnp.sum(jnp.sin(outputs) * (TARGET != 0)[..., None]), outputs

    graded = jax.jit(jax.value_and_grad(loss, has_aux=True))
    (_, outputs), gradients = graded(model, SOURCE, TARGET)
    (_, padded), padded_gradients = graded(model, wider(SOURCE), wider(TARGET))
    valid = TARGET != 0
    close(padded[valid], outputs[valid])
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5), padded_gradients, gradients)
    alone = teach(model, SOURCE[1:, :2], TARGET[1:, :2])
    close(alone[0], outputs[1, :2])


@pytest.mark.parametrize(
    "cell",
    [
        cell if cell in ("lstm", "gru", "lstmp") else pytest.param(cell, marks=pytest.mark.slow)
        for cell in cell_names()
        if settings_of(cell_entry(cell).cls)["map"].default != "conv"  # tokens have no places
    ],
)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_steps_equal_teacher_forcing(cell, bidirectional):
    model = build(cell, layers=2, bidirectional=bidirectional)
    source, target = SOURCE, jnp.asarray([[1, 3, 4], [1, 5, 2]])
    whole = teach(model, source, target)
    encoded, state = encode(model, source)
    for step in range(target.shape[1]):
        logits, state, _ = decode(model, encoded, target[:, step : step + 1], state)
        np.testing.assert_allclose(logits[:, 0], whole[:, step], rtol=1e-4, atol=1e-5)
    assert np.isfinite(whole).all()


@pytest.mark.parametrize("attention", ["general", "additive"])
def test_weights_sum_to_one_over_valid_positions(attention):
    model, first = build(attention=attention), None
    for source in (SOURCE, wider(SOURCE)):
        encoded, state = encode(model, source)
        _, _, weights = decode(model, encoded, TARGET, state)
        close(weights.sum(-1), np.ones(TARGET.shape))
        assert (np.asarray(weights)[1, :, 2:] == 0).all()
        first = weights if first is None else first
        valid = np.asarray(TARGET) != 0
        close(np.asarray(weights)[..., :4][valid], np.asarray(first)[valid])


@pytest.mark.parametrize("kind", ["dot", "general", "additive"])
def test_attention_equals_its_equations_in_numpy(kind):
    rng = np.random.default_rng(0)
    h, memory = rng.normal(size=(3, 2, 4)).astype("f"), rng.normal(size=(5, 2, 4)).astype("f")
    valid = np.asarray([[1, 1], [1, 1], [1, 0], [1, 0], [0, 0]], bool)
    layer = Attention(kind, 4, 4, key=jax.random.key(1), dtype=None)
    got, weights = layer(jnp.asarray(h), jnp.asarray(memory), jnp.asarray(valid))
    for t, b in itertools.product(range(3), range(2)):
        kept = memory[valid[:, b], b]
        known = kept if layer.keys is None else np.asarray(layer.keys(jnp.asarray(kept)))
        if kind == "additive":
            query = np.asarray(layer.queries(jnp.asarray(h[t, b])))
            scores = np.tanh(query + known) @ np.asarray(layer.score[...])
        else:
            scores = known @ h[t, b]
        share = np.exp(scores) / np.exp(scores).sum()
        close(weights[t, b, : len(kept)], share)
        close(got[t, b], np.tanh(layer.combine(jnp.asarray(np.concatenate([share @ kept, h[t, b]])))))


def all_outputs(model, source, length, alpha):
    """Every possible output with its normalised log-probability, by whole teacher-forced sequences."""
    words = range(3, PAIRS.target)
    ended = [(*body, PAIRS.end) for n in range(length) for body in itertools.product(words, repeat=n)]
    found = {}
    for output in ended + list(itertools.product(words, repeat=length)):
        logits = teach(model, source, jnp.asarray([[PAIRS.start, *output[:-1]]]))[0]
        logs = np.asarray(jax.nn.log_softmax(logits))
        total = float(sum(logs[i, token] for i, token in enumerate(output)))
        found[output] = total / ((5 + len(output)) / 6) ** alpha
    return sorted(found.items(), key=lambda item: -item[1])


@pytest.mark.parametrize(("attention", "alpha"), [("none", 0.0), ("general", 1.0)])
def test_a_wide_beam_equals_exhaustive_search(attention, alpha):
    model = jax.tree.map(lambda a: 3 * a, build(attention=attention))
    beams = beam_search(model, SOURCE, 3, 40, alpha=alpha)
    for row in range(2):
        expected = all_outputs(model, SOURCE[row : row + 1], 3, alpha)
        assert len(expected) == 40
        for tokens, score, (output, value) in zip(beams.tokens[row], beams.scores[row], expected[:10], strict=False):
            assert tuple(int(t) for t in tokens if t) == output
            np.testing.assert_allclose(score, value, rtol=1e-4, atol=1e-5)


def test_a_beam_of_one_is_the_greedy_choice():
    model = jax.tree.map(lambda a: 3 * a, build())
    tokens = beam_search(model, SOURCE, 5, 1).tokens[:, 0]
    encoded, state = encode(model, SOURCE)
    last, ended = jnp.full((2, 1), PAIRS.start), np.zeros(2, bool)
    for step in range(5):
        logits, state, _ = decode(model, encoded, last, state)
        best = PAIRS.end + jnp.argmax(logits[:, 0, PAIRS.end :], axis=-1)
        np.testing.assert_array_equal(tokens[:, step], np.where(ended, 0, best))
        ended |= np.asarray(best) == PAIRS.end
        last = best[:, None]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"attention": "dot"}, ["model.attention=dot", "8 and 4"]),
        ({"attention": "luong"}, ["model.attention is 'luong'", "additive"]),
        ({"readout": "last"}, ["model.readout is 'last'"]),
        ({"cell_options": {"map": "conv"}}, ["cell.map=conv"]),
    ],
)
def test_what_does_not_fit_is_refused(options, words):
    with pytest.raises(ValueError, match=r"model|cell") as error:
        build(**options)
    assert all(word in str(error.value) for word in words)


def test_state_and_lengths_are_refused():
    with pytest.raises(ValueError, match="no state, lengths, resets or mask"):
        build()(SourceTarget(SOURCE, TARGET), lengths=jnp.asarray([4, 2]))
