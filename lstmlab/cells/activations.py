"""Activation functions that a configuration can name."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from lstmlab.settings import setting


def sigmoid(x: Array) -> Array:
    """Logistic function as ``(tanh(x / 2) + 1) / 2``: half the time of ``1 / (1 + exp(-x))`` on CPUs."""
    return 0.5 * jnp.tanh(0.5 * x) + 0.5


def hard_sigmoid(x: Array) -> Array:
    """Piecewise linear sigmoid ``clip(x / 6 + 1/2, 0, 1)``, as Keras 3 and PyTorch define it."""
    return jnp.clip(x / 6.0 + 0.5, 0.0, 1.0)


ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "tanh": jnp.tanh,
    "sigmoid": sigmoid,
    "hard_sigmoid": hard_sigmoid,
    "relu": jax.nn.relu,
    "elu": jax.nn.elu,
    "softsign": jax.nn.soft_sign,
    "identity": lambda x: x,
}
NAMES = tuple(ACTIVATIONS)


def activation_setting(default: str, help: str) -> Any:
    """Declare an option that names an activation function."""
    return setting(default, help, choices=NAMES)


def activation(name: str) -> Callable[[Array], Array]:
    """The activation function of that name."""
    return ACTIVATIONS[name]
