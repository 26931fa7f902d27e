"""Named activations against PyTorch's and Keras'."""

import jax.numpy as jnp
import numpy as np
import pytest

from lstmlab.cells.activations import ACTIVATIONS

X = np.linspace(-8, 8, 101, dtype="float32")
ELSEWHERE = {
    "softsign": "softsign", "hard_sigmoid": "hardsigmoid", "elu": "elu", "relu": "relu",
    "tanh": "tanh", "sigmoid": "sigmoid",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"identity"}))
def test_agrees_with_torch(name):
    torch = pytest.importorskip("torch")
    functional = getattr(torch.nn.functional, ELSEWHERE[name])
    np.testing.assert_allclose(ACTIVATIONS[name](jnp.asarray(X)), functional(torch.tensor(X)), atol=1e-6)


@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"identity"}))
def test_agrees_with_keras(name):
    keras = pytest.importorskip("keras")
    np.testing.assert_allclose(ACTIVATIONS[name](jnp.asarray(X)), keras.activations.get(name)(X), atol=1e-6)


def test_identity_is_identity():
    np.testing.assert_array_equal(ACTIVATIONS["identity"](X), X)
