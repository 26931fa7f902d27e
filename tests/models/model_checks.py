"""What the tests of this folder share: small models of any cell and compiled runs of them."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import jax.numpy as jnp
import numpy as np
from battery import AWAKE

from lstmlab.cells import Init
from lstmlab.models import Rates, SequenceModel
from lstmlab.models.model_settings import spatial_shape
from lstmlab.tasks import Features

FEATURES, HIDDEN, OUTPUTS, BATCH = 2, 4, 3, 2
SPATIAL = (3, 2)
ZEROS = Init(input="zeros", recurrent="zeros")
"""Quicker to trace, and to compile, than any other."""


def build(cell="lstm", *, inputs=None, outputs=None, randomise=True, seed=0, **settings):
    """A model; convolutional cells get feature maps, all others vectors."""
    options = dict(AWAKE.get(cell, ())) | (settings.get("cell_options") or {})
    settings["cell_options"] = options
    spatial = spatial_shape(cell, options, Features(FEATURES, SPATIAL))
    if randomise:
        settings = {"init": ZEROS} | settings
    model = SequenceModel(
        cell,
        inputs or Features(FEATURES, spatial),
        outputs or Features(OUTPUTS, spatial),
        **{"hidden_size": HIDDEN, "key": jax.random.key(seed), "block": "plain"} | settings,
    )
    if not randomise:
        return model
    # Zero biases and unit scales would hide mistakes. NumPy draws without compiling anything.
    draw = np.random.default_rng(seed)

    def noisy(a):
        return jnp.asarray(np.asarray(a) + 0.3 * draw.normal(size=a.shape), a.dtype)

    return jax.tree.map(noisy, model)


def sequences(model, time, batch=BATCH, seed=1):
    """Inputs ``[batch, time, *spatial, features]`` for the model."""
    shape = (batch, time, *model.inputs.spatial, model.inputs.size)
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


def call(model, inputs, state=None, lengths=None, resets=None, rates=Rates(), key=None):  # noqa: B008
    """The model, for use inside other transformations."""
    return model(inputs, state, lengths=lengths, resets=resets, rates=rates, key=key)


def compiled(function):
    """``jax.jit`` that spends less time on optimising than such small programs would win back."""
    return jax.jit(function, compiler_options={"xla_backend_optimization_level": 0})


run = compiled(call)
"""The model, compiled: models of one structure and shape share the work."""


def close(one, other, tolerance=1e-5):
    """Equal trees up to rounding."""
    assert jax.tree.structure(one) == jax.tree.structure(other)
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def differ(one, other):
    """Whether two arrays are clearly not the same."""
    return np.abs(np.asarray(one) - np.asarray(other)).max() > 1e-3


def with_head(model, kernel, bias=0.0):
    """A copy whose head is replaced, so that what enters the head can be seen."""
    model = jax.tree.map(lambda leaf: leaf, model)
    model.head.kernel = jax.tree.map(lambda _: jnp.asarray(kernel), model.head.kernel)
    width = np.shape(kernel)[-1]
    model.head.bias = jax.tree.map(lambda _: jnp.full(width, bias), model.head.bias)
    model.outputs = Features(width, model.outputs.spatial)
    return model


def bare(model):
    """A copy whose outputs are what enters the head."""
    return with_head(model, np.eye(model.head.kernel.shape[0], dtype=np.float32))
