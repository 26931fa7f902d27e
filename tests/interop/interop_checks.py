"""What the tests of this folder share: small random models, and comparisons."""

import contextlib
import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lstmlab.cells import Init
from lstmlab.models import SequenceModel
from lstmlab.tasks import Features

QUICK = Init(input="zeros", recurrent="zeros")  # overwritten anyway
FEATURES, HIDDEN, OUTPUTS, BATCH, TIME = 3, 5, 2, 4, 7


def blank(cell, *, layers=1, bidirectional=False, spatial=(), seed=0, inputs=None, **settings):
    """A model whose every parameter is random: zeros would hide a misplaced bias."""
    readout = settings.pop("readout", "steps")
    embedding_size = settings.pop("embedding_size", 0)
    block = settings.pop("block", "plain")
    model = SequenceModel(
        cell,
        inputs or Features(FEATURES, spatial),
        Features(OUTPUTS, spatial),
        hidden_size=HIDDEN,
        key=jax.random.key(seed),
        layers=layers,
        bidirectional=bidirectional,
        readout=readout,
        init=QUICK,
        embedding_size=embedding_size,
        block=block,
        cell_options=settings,
    )
    return randomised(model, seed)


def randomised(tree, seed=0):
    """The same pytree with normal leaves of standard deviation 0.4."""
    draw = np.random.default_rng(seed)
    return jax.tree.map(lambda a: jnp.asarray(0.4 * draw.normal(size=a.shape), a.dtype), tree)


def compiled(function):
    """``jax.jit`` that spends less time on optimising than such small programs would win back."""
    return jax.jit(function, compiler_options={"xla_backend_optimization_level": 0})


run = compiled(lambda model, inputs: model(inputs))
"""A model's outputs and states; models of one structure and shape share the compiled program."""


def sequences(*spatial, seed=1):
    return np.random.default_rng(seed).normal(size=(BATCH, TIME, *spatial, FEATURES)).astype("f4")


def assert_close(ours, theirs):
    """Equal up to 1e-5 of the largest value."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() <= 1e-5 * np.abs(theirs).max()


def assert_same_bits(one, other):
    assert jax.tree.structure(one) == jax.tree.structure(other)
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


def top_outputs(model, inputs):
    """Outputs of the top recurrent layer, before the head: ``[batch, time, ..., width]``."""
    width = model.head.kernel.shape[0]
    eye = np.eye(width, dtype="f4")
    bare = jax.tree.map(lambda leaf: leaf, model)
    bare.head.kernel = jax.tree.map(lambda _: jnp.asarray(eye), bare.head.kernel)
    bare.head.bias = jax.tree.map(lambda _: jnp.zeros(width), bare.head.bias)
    bare.outputs = Features(width, model.outputs.spatial)
    return run(bare, inputs).outputs


@contextlib.contextmanager
def refused(*words):
    """The block raises ``ValueError`` with a message of one line that has all these words."""
    with pytest.raises(ValueError) as caught:
        yield
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message, message
