"""The recurrent product inside a kernel: of a dense or a diagonal map, perhaps of a masked state."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from lstmlab.cells.maps import Computed, Dense, Diagonal, LinearMap
from lstmlab.cells.regularise import MaskedMap
from lstmlab.promotion import parameter_type
from lstmlab.recurrence.pallas.layout import Layout, map_blocks
from lstmlab.recurrence.pallas.values import Blocks

MOST_RESIDENT = 64 * 1024
"""Bytes of recurrent weights that a kernel reads once, before its loop, and holds on the chip: those of an LSTM of 64
units in float32, whose kernels take 76 KiB of shared memory on an H100. Larger ones are read at every step, from the
cache. Where the best border is has not been measured."""


class Weights(NamedTuple):
    """Operands of the product; those that a map does not have are ``None``, which is an empty pytree."""

    kernel: Any
    """``[features, gates · size]``, of a diagonal map ``[gates · size]``, in the compute dtype"""
    bias: Any
    mask: Any
    """factors on ``h`` for every sequence, of recurrent dropout"""


def inner_map(recurrent: LinearMap) -> LinearMap:
    """The map without the mask of recurrent dropout."""
    return recurrent.inner if isinstance(recurrent, MaskedMap) else recurrent


def serves(recurrent: LinearMap) -> bool:
    """Whether kernels know the product: a dense map, computed or not, or a diagonal one."""
    return isinstance(inner_map(recurrent), Dense | Diagonal | Computed)


def is_diagonal(recurrent: LinearMap) -> bool:
    """Whether the map is a diagonal one."""
    return isinstance(inner_map(recurrent), Diagonal)


def pack_weights(recurrent: LinearMap, h: Layout, r: Layout) -> Weights:
    """The operands as they lie in memory; the mask keeps its batch."""
    inner = inner_map(recurrent)
    kernel = jnp.asarray(inner.kernel)
    kernel = r.pack(kernel.astype(parameter_type(kernel) if inner.dtype is None else inner.dtype))
    if not is_diagonal(recurrent):
        kernel = h.pack(kernel, 0)
    bias = None if inner.bias is None else r.pack(jnp.asarray(inner.bias))
    return Weights(kernel, bias, h.pack(recurrent.mask) if isinstance(recurrent, MaskedMap) else None)


class Product(NamedTuple):
    """The product within a kernel: ``product(h)`` and its transpose, for blocks."""

    h: Layout
    r: Layout
    weight: Callable[[int, int], Any]
    """the block of the kernel from one block of ``h`` to one of ``r``; of a diagonal map, that of ``r``"""
    diagonal: bool
    dtype: Any
    bias: Blocks | None
    mask: Blocks | None

    def __call__(self, h: Blocks) -> Blocks:
        """``U h + b`` ``[tile, gates · size]``, accumulated in float32 or wider."""
        h = h if self.mask is None else map_blocks(jnp.multiply, h, self.mask)
        given = [part.astype(self.dtype) for part in h.cut(self.h.sizes)]
        width = len(given)
        parts = []
        for j in range(len(self.r.sizes)):
            if self.diagonal:
                parts.append((given[j % width] * self.weight(0, j)).astype(self._wide))
                continue
            terms = [self._dot(part, self.weight(i, j), 0) for i, part in enumerate(given)]
            parts.append(functools.reduce(jnp.add, terms))
        r = Blocks(self.r.sizes, tuple(parts))
        return r if self.bias is None else map_blocks(jnp.add, r, self.bias)

    def transposed(self, d_r: Blocks) -> Blocks:
        """``Uᵀ r`` ``[tile, features]``."""
        given = [part.astype(self.dtype) for part in d_r.cut(self.r.sizes)]
        width = len(self.h.sizes)
        parts = []
        for i in range(width):
            if self.diagonal:
                terms = [
                    (part * self.weight(0, j)).astype(self._wide) for j, part in enumerate(given) if j % width == i
                ]
            else:
                terms = [self._dot(part, self.weight(i, j), 1) for j, part in enumerate(given)]
            parts.append(functools.reduce(jnp.add, terms))
        d_h = Blocks(self.h.sizes, tuple(parts))
        return d_h if self.mask is None else map_blocks(jnp.multiply, d_h, self.mask)

    @property
    def _wide(self) -> Any:
        return jnp.promote_types(self.dtype, jnp.float32)

    def _dot(self, a: Any, b: Any, contracted: int) -> Any:
        axes = (((1,), (contracted,)), ((), ()))
        return jax.lax.dot_general(a, b, axes, preferred_element_type=self._wide)


def load_product(refs: Weights, h: Layout, r: Layout) -> Product:
    """The product from a kernel's operands."""
    kernel, diagonal = refs.kernel, len(refs.kernel.shape) == 1

    def load(i: int, j: int) -> Any:
        columns = slice(*r.places[j])
        return kernel[columns] if diagonal else kernel[slice(*h.places[i]), columns]

    if math.prod(kernel.shape) * kernel.dtype.itemsize <= MOST_RESIDENT:
        held = {(i, j): load(i, j) for i in range(1 if diagonal else len(h.sizes)) for j in range(len(r.sizes))}
        weight = _look_up(held)
    else:
        weight = load
    bias = None if refs.bias is None else r.read(refs.bias)
    mask = None if refs.mask is None else h.read(refs.mask, slice(None))
    return Product(h, r, weight, diagonal, kernel.dtype, bias, mask)


def _look_up(held: dict[tuple[int, int], Any]) -> Callable[[int, int], Any]:
    return lambda i, j: held[i, j]
