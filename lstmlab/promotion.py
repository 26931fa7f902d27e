"""Type and shape promotion within the package, whatever JAX's strict modes demand of the code around it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


def standard_promotion(function: Callable[P, R]) -> Callable[P, R]:
    """The function, traced under JAX's default promotion rules.

    The equations of cells and losses broadcast vectors over batches and multiply numbers by masks on purpose.
    ``jax_numpy_rank_promotion="raise"`` and ``jax_numpy_dtype_promotion="strict"`` are for the caller's own code.
    """

    @functools.wraps(function)
    def traced(*args: P.args, **kwargs: P.kwargs) -> R:
        with jax.numpy_rank_promotion("allow"), jax.numpy_dtype_promotion("standard"):
            return function(*args, **kwargs)

    return traced


def is_float(leaf: Any) -> bool:
    """Whether a leaf is an array of real floating-point numbers, of any width."""
    return hasattr(leaf, "dtype") and bool(jnp.issubdtype(leaf.dtype, jnp.floating))


def parameter_type(parameters: PyTree) -> np.dtype:
    """The type in which a cell or model computes: the widest of its parameters, and at least float32."""
    types = [leaf.dtype for leaf in jax.tree.leaves(parameters) if is_float(leaf)]
    return functools.reduce(jnp.promote_types, types, np.dtype("float32"))


def cast_numbers(tree: T, dtype: np.dtype) -> T:
    """The tree with its floats in the given type; integers, masks and random keys stay as they are."""
    return jax.tree.map(lambda leaf: leaf.astype(dtype) if is_float(leaf) else leaf, tree)


def check_param_dtype(name: str) -> None:
    """Raise ``ValueError`` unless parameters can have that type: float32, or float64 in JAX's 64-bit mode."""
    if name not in ("float32", "float64"):
        raise ValueError(f"param_dtype is {name!r}, but must be 'float32' or 'float64'; narrower products: dtype")
    if name == "float64" and not jax.config.read("jax_enable_x64"):
        raise ValueError("param_dtype is 'float64', which needs JAX's 64-bit mode: set JAX_ENABLE_X64=1")
