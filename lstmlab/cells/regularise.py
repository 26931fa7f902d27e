r"""Regularisers that wrap any cell, so that every backend runs them unchanged.

Masks are drawn once per sequence, outside the loop, and travel as ordinary arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
from flax import nnx
from jaxtyping import Array, Float, PRNGKeyArray

from lstmlab.cells.base import Cell, Form, Gates


class MaskedMap(nnx.Module):
    """A recurrent map whose input is multiplied by a mask: still linear in its input."""

    def __init__(self, inner: Any, mask: Array) -> None:
        # Said, because NNX takes a traced array for a constant: it would stay behind where the map is passed on.
        self.inner, self.mask = inner, nnx.data(mask)

    def __call__(self, h: Array) -> Array:
        """``W (mask ⊙ h)``."""
        return self.inner(h * self.mask)

    def transposed(self, like: Any) -> Callable[[Array], Array]:
        """``mask ⊙ (Wᵀ r)``."""
        inner = self.inner.transposed(like)
        return lambda r: inner(r) * self.mask


def recurrent_dropout(cell: Any, rate: float | Array, key: PRNGKeyArray, batch: int) -> Any:
    """Variational dropout on the recurrent products: one mask per sequence, the same at all steps.

    Gal & Ghahramani 2016, arXiv:1512.05287. Kept units are scaled by ``1 / (1 - rate)``.
    """
    mask = dropout_mask(key, rate, (batch, *cell.state_shape))
    return cell.map_recurrent(lambda inner: MaskedMap(inner, mask))


def dropout_mask(key: PRNGKeyArray, rate: float | Array, shape: tuple[int, ...]) -> Array:
    """``bernoulli(1 - rate) / (1 - rate)`` of the given shape; ``rate`` may be traced, and 1 drops everything."""
    kept = jax.random.bernoulli(key, 1.0 - rate, shape)
    return jax.numpy.where(kept, 1.0 / jax.numpy.maximum(1.0 - rate, 1e-6), 0.0)


class Zoneout(nnx.Module):
    r"""A cell whose state elements keep their old value at random.

    .. math:: s_t = k_t \odot s_{t-1} + (1 - k_t) \odot \tilde s_t

    with :math:`k_t` drawn per step and element from Bernoulli(rate) in training, and :math:`k_t` = rate in
    evaluation. Krueger et al. 2017, arXiv:1606.01305. Its inputs are pairs ``(x, k)``, see :func:`zoneout_masks`.
    """

    def __init__(self, cell: Any) -> None:
        self.cell = cell

    @property
    def recurrent(self) -> Any:
        """The wrapped cell's map of ``h``."""
        return self.cell.recurrent

    @property
    def form(self) -> Form:
        """That of the wrapped cell."""
        return self.cell.form

    def project(self, x: tuple[Array, Array]) -> tuple[Array, Array]:
        """Project the input and pass the mask on."""
        return self.cell.project(x[0]), x[1]

    def update(self, state: Any, z: tuple[Array, Array], r: Array) -> tuple[Any, Gates]:
        """The wrapped update, mixed with the old state."""
        new, gates = self.cell.update(state, z[0], r)
        return self._mix(state, new, z[1]), gates

    def step(self, state: Any, z: tuple[Array, Array]) -> tuple[Any, Gates]:
        """The wrapped whole step, mixed with the old state."""
        new, gates = self.cell.step(state, z[0])
        return self._mix(state, new, z[1]), gates

    def pointwise(self) -> Zoneout:
        """Without maps, as :meth:`lstmlab.cells.base.Cell.pointwise`."""
        return Zoneout(self.cell.pointwise())

    def initial_state(self, *batch: int) -> Any:
        """That of the wrapped cell."""
        return self.cell.initial_state(*batch)

    @staticmethod
    def _mix(old: Any, new: Any, keep: Array) -> Any:
        # One slice of the mask per state field: h and c are kept independently.
        leaves, structure = jax.tree.flatten(new)
        mixed = [
            keep[:, field] * before + (1 - keep[:, field]) * after
            for field, (before, after) in enumerate(zip(jax.tree.leaves(old), leaves, strict=True))
        ]
        return jax.tree.unflatten(structure, mixed)


def zoneout_masks(
    cell: Cell, rate: float | Array, key: PRNGKeyArray | None, time: int, batch: int
) -> Float[Array, "time batch fields *state"]:
    """Keep-masks for every step: random with a key (training), the rate itself without (evaluation)."""
    fields = len(cell.state_type._fields)
    shape = (time, batch, fields, *cell.state_shape)
    if key is None:
        return jax.numpy.broadcast_to(jax.numpy.asarray(rate, "float32"), shape)
    return jax.random.bernoulli(key, rate, shape).astype("float32")
