"""Activation functions that a configuration can name."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array


def hard_sigmoid(x: Array) -> Array:
    """Piecewise linear sigmoid ``clip(x / 6 + 1/2, 0, 1)``, as Keras 3 and PyTorch define it."""
    return jnp.clip(x / 6.0 + 0.5, 0.0, 1.0)


ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "tanh": jnp.tanh,
    "sigmoid": jax.nn.sigmoid,
    "hard_sigmoid": hard_sigmoid,
    "relu": jax.nn.relu,
    "elu": jax.nn.elu,
    "softsign": jax.nn.soft_sign,
    "identity": lambda x: x,
}
NAMES = tuple(ACTIVATIONS)
