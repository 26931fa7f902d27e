r"""Dropout on the products with the state: masks on ``h`` or on the recurrent kernels.

Masks are drawn once per sequence, outside the loop, and travel as ordinary arrays, so that every backend runs the
regularised cell unchanged. Candidate dropout and zoneout, which act at every step, are in
:mod:`lstmlab.cells.regularise_steps`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from lstmlab.arrays import Key, Traceable
from lstmlab.cells.base import Cell
from lstmlab.cells.initialise import KeyStream
from lstmlab.cells.maps import LinearMap, rebuilt

C = TypeVar("C", bound=Cell)


def dropout_mask(key: Key, rate: Traceable, shape: tuple[int, ...]) -> Float[Array, ...]:
    """``bernoulli(1 - rate) / (1 - rate)`` of the given shape; ``rate`` may be traced, and 1 drops everything."""
    kept = jax.random.bernoulli(key, 1.0 - rate, shape)
    return jnp.where(kept, 1.0 / jnp.maximum(1.0 - rate, 1e-6), 0.0)


class MaskedMap(LinearMap):
    """A recurrent map whose input is multiplied by a mask: still linear in its input."""

    def __init__(self, inner: LinearMap, mask: Array) -> None:
        self.bias, self.dtype = None, None
        # nnx.data: NNX takes a traced array for a constant, which would stay behind where the map is passed on.
        self.inner, self.mask = inner, nnx.data(mask)

    def product(self, x: Array) -> Array:
        """``W (mask ⊙ x)``."""
        return self.inner(x * self.mask.astype(x.dtype))

    def prepared(self) -> LinearMap:
        """With the inner map prepared."""
        return MaskedMap(self.inner.prepared(), self.mask)

    def transposed(self, like: jax.ShapeDtypeStruct) -> Callable[[Array], Array]:
        """``mask ⊙ (Wᵀ r)``."""
        inner = self.inner.transposed(like)
        return lambda r: inner(r) * self.mask.astype(like.dtype)


def recurrent_dropout(cell: C, rate: Traceable, key: Key, batch: int) -> C:
    """Variational dropout on the recurrent products: one mask per sequence, the same at all steps.

    Gal & Ghahramani 2016, arXiv:1512.05287. Kept units are scaled by ``1 / (1 - rate)``. Raises ``ValueError`` for a
    cell without such products.
    """
    _check_state_maps(cell, "dropout.recurrent")
    mask = dropout_mask(key, rate, (batch, *cell.spatial, cell.output_size))
    return cell.map_recurrent(lambda inner: MaskedMap(inner, mask))


def weight_drop(cell: C, rate: Traceable, key: Key) -> C:
    """DropConnect on the recurrent kernels: one mask for the whole batch and all steps.

    Merity et al. 2018 (AWD-LSTM), arXiv:1708.02182. Kept weights are scaled by ``1 / (1 - rate)``. Raises
    ``ValueError`` for a cell without recurrent kernels.
    """
    _check_state_maps(cell, "dropout.weight")
    keys = KeyStream(key)

    def dropped(inner: LinearMap) -> LinearMap:
        thinned = rebuilt(inner.prepared())
        kernel = jnp.asarray(thinned.kernel)
        thinned.kernel = nnx.Param(kernel * dropout_mask(keys(), rate, kernel.shape))
        return thinned

    return cell.map_recurrent(dropped)


def _check_state_maps(cell: Cell, key: str) -> None:
    if not cell.state_maps():
        raise ValueError(f"{key} has nothing to act on: cell {cell.name} has no product with its state")
