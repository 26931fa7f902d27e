"""Padding never changes a result: each sequence gives what it gives alone and unpadded."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from battery import representative
from model_checks import build, call, close, compiled, run, sequences

from lstmlab.cells import cell_names
from lstmlab.models.forecaster import EncoderForecaster
from lstmlab.models.recursive import RecursiveModel
from lstmlab.tasks import Features

LENGTHS, TIME = (2, 5), 7
CASES = [
    ("plain", False, "last"),
    ("plain", True, "last"),
    ("plain", True, "steps"),
    ("residual", False, "last"),
    ("residual", False, "steps"),
    ("residual", True, "pooled"),
    ("up_projection", True, "steps"),
    ("up_projection", False, "last"),
]


def compare_with_unpadded(model, filler, rows=(0, 1)):
    clean = sequences(model, TIME)
    lengths = jnp.asarray(LENGTHS)
    valid = (jnp.arange(TIME) < lengths[:, None]).reshape(len(LENGTHS), TIME, *(1,) * (clean.ndim - 2))
    padded = run(model, jnp.where(valid, clean, filler), lengths=lengths)
    for row in rows:
        length = LENGTHS[row]
        alone = run(model, clean[row : row + 1, :length])
        outputs = padded.outputs[row : row + 1]
        close(outputs[:, :length] if model.readout == "steps" else outputs, alone.outputs)
        close(jax.tree.map(lambda a, row=row: a[row : row + 1], padded.state), alone.state)


@pytest.mark.parametrize("block, bidirectional, readout", CASES)
def test_every_block_direction_and_readout(block, bidirectional, readout):
    model = build("lstm", layers=2, block=block, bidirectional=bidirectional, readout=readout)
    compare_with_unpadded(model, 1e3)


# Padding is asked of every cell in tests/recurrence/test_padding.py; here it is how a model passes lengths on.
@pytest.mark.parametrize(
    "name", [name if representative(name) else pytest.param(name, marks=pytest.mark.slow) for name in cell_names()]
)
def test_every_cell(name):
    compare_with_unpadded(build(name, bidirectional=True, readout="pooled"), -1e3, rows=[0])


@pytest.mark.parametrize("readout", ["last", "pooled"])
def test_padding_may_be_anything_even_nan(readout):
    compare_with_unpadded(build("gru", bidirectional=True, readout=readout), jnp.nan, rows=[0])


def test_full_lengths_are_no_lengths():
    model = build("lstm", layers=2, bidirectional=True, readout="pooled")
    xs = sequences(model, TIME)
    close(run(model, xs, lengths=jnp.asarray([TIME, TIME])), run(model, xs))


def test_gradients_ignore_padding():
    model = build("lstm", layers=2, bidirectional=True, readout="pooled")
    xs, lengths = sequences(model, TIME), jnp.asarray(LENGTHS)
    loss = lambda x: (call(model, x, lengths=lengths).outputs ** 2).sum()  # noqa: E731
    gradient = compiled(jax.grad(loss))(xs)
    for row, length in enumerate(LENGTHS):
        np.testing.assert_array_equal(gradient[row, length:], 0.0)
        assert (jnp.abs(gradient[row, :length]).max(axis=-1) > 0).all()


@pytest.mark.parametrize(("readout", "filler"), [("last", 1e3), ("steps", jnp.nan)])
def test_padding_on_the_left_changes_nothing(readout, filler):
    model = build("lstm", bidirectional=True, readout=readout)
    compare_left_padded(model, sequences(model, 5), filler)


def test_padding_on_the_left_of_a_window_and_of_a_past():
    """Models that forecast read what is masked no more than others do."""
    settings = {"key": jax.random.key(0), "hidden_size": 4}
    recursive = RecursiveModel("gru", Features(2), Features(1, (3, 2)), **settings)
    compare_left_padded(recursive, random_rows(5 + 2, 2), jnp.nan)
    forecaster = EncoderForecaster("lstm", Features(2), Features(1), readout="steps", **settings)
    future = random_rows(3, 2)
    compare_left_padded(lambda xs, **given: forecaster((xs, future), **given), random_rows(5, 2), jnp.nan)


def random_rows(steps, features):
    return jnp.asarray(np.random.default_rng(3).normal(size=(2, steps, features)), jnp.float32)


def compare_left_padded(model, clean, filler, padding=2):
    """Outputs and states with so many masked steps before every sequence are those without."""
    masked = jnp.zeros((len(clean), padding), bool)
    mask = jnp.concatenate([masked, jnp.ones(clean.shape[:2], bool)], axis=1)
    wide = jnp.concatenate([jnp.full((len(clean), padding, *clean.shape[2:]), filler), clean], axis=1)
    left, alone = model(wide, mask=mask), model(clean)
    outputs = left.outputs[:, padding:] if getattr(model, "readout", None) == "steps" else left.outputs
    close(outputs, alone.outputs)
    close(left.state, alone.state)
    assert not np.allclose(model(jnp.where(jnp.isnan(wide), 1.0, wide)).outputs[:, -1], left.outputs[:, -1])
