"""Linear maps from features to gate pre-activations; the option ``map`` of a cell chooses one.

Every map takes ``[..., *spatial, features]`` and gives ``[..., *spatial, gates · size]``, gate by gate along the last
axis, so that a cell's pointwise function never knows which map fed it. Products run in ``dtype`` and return float32
or wider; dense products accumulate in it as well.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float, Shaped

from lstmlab.arrays import Key, Traceable
from lstmlab.cells.initialise import per_gate
from lstmlab.promotion import parameter_type, standard_promotion

MAPS = ("dense", "conv", "diagonal", "block_diagonal")
M = TypeVar("M", bound=nnx.Module)


def _cast(map: LinearMap, x: Array, kernel: Array) -> tuple[Array, Array]:
    """The operands of a product in the map's compute dtype; ``None`` is the kernel's own, and float32 at least."""
    dtype = parameter_type(kernel) if map.dtype is None else map.dtype
    return x.astype(dtype), kernel.astype(dtype)


def _accumulator(*arrays: Array) -> jnp.dtype:
    """float32 for products of narrower floats, the operands' own type otherwise (float64 in checks)."""
    return jnp.promote_types(jnp.result_type(*arrays), jnp.float32)


def _flat_product(x: Array, kernel: Array) -> Array:
    """``x W`` over two axes: with more, autodiff copies the whole cotangent transposed for the kernel's gradient."""
    y = jnp.matmul(x.reshape(-1, x.shape[-1]), kernel, preferred_element_type=_accumulator(x, kernel))
    return y.reshape(*x.shape[:-1], y.shape[-1])


class LinearMap(nnx.Module):
    """A linear (or affine) map shared by all gates."""

    kernel: nnx.Param
    bias: nnx.Param | None
    dtype: str | None

    def __init__(self, kernel: Array, bias: Array | None, dtype: str | None) -> None:
        self.kernel = nnx.Param(kernel)
        self.bias = None if bias is None else nnx.Param(bias)
        self.dtype = dtype

    def product(self, x: Array) -> Array:
        """The map without its bias."""
        raise NotImplementedError(f"{type(self).__name__} defines no product")

    def prepared(self) -> LinearMap:
        """The map as the loop over time uses it: what depends on parameters alone is computed once, before it."""
        return self

    def transposed(self, like: jax.ShapeDtypeStruct) -> Callable[[Array], Array]:
        """The transposed map, from pre-activations back to arrays of the shape and type of ``like``."""
        return lambda r: jax.linear_transpose(self, like)(r)[0]

    @standard_promotion
    def __call__(
        self, x: Shaped[Array, "*batch features"] | Shaped[np.ndarray, "*batch features"]
    ) -> Float[Array, "*batch gates_size"]:
        """Apply the map to the last axis (and the spatial axes) of ``x``; the result has the parameters' type, and
        float32 at least."""
        y = self.product(jnp.asarray(x))
        return y if self.bias is None else y + self.bias


class NoMap(LinearMap):
    """A placeholder for a map that a cell does not have: no parameters, and it cannot be applied."""

    def __init__(self) -> None:
        self.bias, self.dtype = None, None

    def product(self, x: Array) -> Array:
        """Raises ``TypeError``."""
        raise TypeError("this cell has no such map")


class Dense(LinearMap):
    """``y = x W + b`` with ``W`` of shape ``[features, gates · size]``."""

    def product(self, x: Array) -> Array:
        """``x W``."""
        x, kernel = _cast(self, x, jnp.asarray(self.kernel))
        return _flat_product(x, kernel)

    def transposed(self, like: jax.ShapeDtypeStruct) -> Callable[[Array], Array]:
        """``r Wᵀ`` with ``Wᵀ`` laid out once: inside a loop, products with a transposed operand are slower."""
        return Dense(jnp.asarray(self.kernel).T, None, self.dtype)


class Conv(LinearMap):
    """Convolution with stride 1 and zero padding that keeps the size, over one or two spatial axes."""

    def product(self, x: Array) -> Array:
        """``x * W`` with ``W`` of shape ``[*window, features, gates · size]``."""
        x, kernel = _cast(self, x, jnp.asarray(self.kernel))
        rank = kernel.ndim - 2
        lead = x.shape[: x.ndim - rank - 1]
        flat = x.reshape(math.prod(lead), *x.shape[-rank - 1 :])
        # XLA has no fast convolution gradients on CPUs: there, one product over gathered windows is many times faster.
        convolve = _window_product if jax.default_backend() == "cpu" else _convolution
        y = convolve(flat, kernel)
        return y.reshape(*lead, *y.shape[1:]).astype(_accumulator(x, kernel))


def _convolution(x: Array, kernel: Array) -> Array:
    """``x`` of shape ``[batch, *spatial, features]``."""
    rank = kernel.ndim - 2
    axes = "HW"[:rank]
    return jax.lax.conv_general_dilated(
        x,
        kernel,
        window_strides=(1,) * rank,
        padding="SAME",
        dimension_numbers=(f"N{axes}C", f"{axes}IO", f"N{axes}C"),
    )


def _window_product(x: Array, kernel: Array) -> Array:
    """The same convolution as one matrix product over the window around every place."""
    *window, features, size = kernel.shape
    spatial = x.shape[1:-1]
    padding = [(0, 0), *(((w - 1) // 2, w // 2) for w in window), (0, 0)]
    padded = jnp.pad(x, padding)
    shifts = itertools.product(*(range(w) for w in window))
    views = [padded[(slice(None), *(slice(s, s + n) for s, n in zip(shift, spatial, strict=True)))] for shift in shifts]
    windows = jnp.concatenate(views, axis=-1)
    flat = kernel.reshape(math.prod(window) * features, size)
    return _flat_product(windows, flat)


class Diagonal(LinearMap):
    """``y_g = w_g ⊙ x`` per gate: unit ``j`` sees only its own past (IndRNN, Li et al. 2018)."""

    def product(self, x: Array) -> Array:
        """``w ⊙ x`` with ``w`` of shape ``[features, gates]``, stored as ``[gates · features]``."""
        x, kernel = _cast(self, x, jnp.asarray(self.kernel))
        gates = kernel.shape[-1] // x.shape[-1]
        y = jnp.tile(x, gates) * kernel
        return y.astype(_accumulator(x, kernel))


class BlockDiagonal(LinearMap):
    """One dense map per head: head ``k`` of the output sees head ``k`` of the input alone."""

    def product(self, x: Array) -> Array:
        """``W`` has shape ``[heads, features / heads, gates, size / heads]``."""
        x, kernel = _cast(self, x, jnp.asarray(self.kernel))
        heads, width, gates, size = kernel.shape
        y = jnp.einsum(
            "...hi,higo->...gho",
            x.reshape(*x.shape[:-1], heads, width),
            kernel,
            preferred_element_type=_accumulator(x, kernel),
        )
        return y.reshape(*x.shape[:-1], gates * heads * size)


class Computed(LinearMap):
    """A dense map whose matrix is a function of its parameters; a loop over time gets it computed, as ``Dense``."""

    def matrix(self) -> Array:
        """``W`` of shape ``[features, gates · size]``."""
        raise NotImplementedError(f"{type(self).__name__} defines no matrix")

    def product(self, x: Array) -> Array:
        """``x W``, for a single step."""
        return Dense(self.matrix(), None, self.dtype).product(x)

    def prepared(self) -> LinearMap:
        """The dense map of that matrix."""
        return Dense(self.matrix(), None if self.bias is None else jnp.asarray(self.bias), self.dtype)


def make_map(
    kind: str,
    features: int,
    sizes: Sequence[int],
    *,
    key: Key,
    init: str,
    scale: Traceable = 1.0,
    bias: bool = False,
    window: tuple[int, ...] = (),
    heads: int = 1,
    dtype: str | None = None,
) -> LinearMap:
    """Build one map of the given kind from ``features`` to one block of outputs per gate.

    Raises ``ValueError`` for an unknown kind, or sizes that the kind cannot connect.
    """
    b = jnp.zeros(sum(sizes), jnp.float32) if bias else None
    if kind == "dense":
        return Dense(per_gate(init, key, (features,), sizes, scale), b, dtype)
    if kind == "conv":
        return Conv(per_gate(init, key, (*window, features), sizes, scale), b, dtype)
    size, gates = sizes[0], len(sizes)
    if len(set(sizes)) > 1:
        raise ValueError(f"a {kind} map needs gates of one size, but gets sizes {', '.join(map(str, sizes))}")
    if kind == "diagonal":
        if features != size:
            raise ValueError(f"a diagonal map needs equal sizes, but gets {features} → {size}")
        bound = 0.0 if init == "zeros" else 1.0
        draw = jax.random.uniform(key, (gates * size,), minval=-bound, maxval=bound)
        return Diagonal(scale * draw, b, dtype)
    if kind == "block_diagonal":
        if features % heads or size % heads:
            raise ValueError(f"cell.heads is {heads}, but must divide the hidden size {size} without remainder")
        blocks = [
            per_gate(init, subkey, (features // heads,), (size // heads,) * gates, scale)
            for subkey in jax.random.split(key, heads)
        ]
        kernel = jnp.stack(blocks).reshape(heads, features // heads, gates, size // heads)
        return BlockDiagonal(kernel, b, dtype)
    raise ValueError(f"cell.map is '{kind}', but must be one of: {', '.join(MAPS)}")


def rebuilt(module: M) -> M:
    """A shallow copy of a map or cell whose attributes may be replaced inside any JAX transformation.

    A plain ``copy.copy`` would keep the trace level at which it was made, where NNX forbids changes.
    """
    return jax.tree.map(lambda leaf: leaf, module)
