r"""Regularisers that wrap any cell, so that every backend runs them unchanged.

Masks are drawn once per sequence, outside the loop, and travel as ordinary arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
from flax import nnx
from jaxtyping import Array, Float, PRNGKeyArray

from lstmlab.cells.base import Cell, Form, Gates, rebuilt
from lstmlab.cells.initialise import KeyStream
from lstmlab.cells.linear import linear_step
from lstmlab.cells.maps import LinearMap

KEPT = "kept"
"""Where zoneout's mask travels among the gates of a linear cell."""


class MaskedMap(nnx.Module):
    """A recurrent map whose input is multiplied by a mask: still linear in its input."""

    def __init__(self, inner: Any, mask: Array) -> None:
        # Said, because NNX takes a traced array for a constant: it would stay behind where the map is passed on.
        self.inner, self.mask = inner, nnx.data(mask)

    def __call__(self, h: Array) -> Array:
        """``W (mask ⊙ h)``."""
        return self.inner(h * self.mask)

    def prepared(self) -> MaskedMap:
        """With the inner map prepared."""
        return MaskedMap(self.inner.prepared(), self.mask)

    def transposed(self, like: Any) -> Callable[[Array], Array]:
        """``mask ⊙ (Wᵀ r)``."""
        inner = self.inner.transposed(like)
        return lambda r: inner(r) * self.mask


def recurrent_dropout(cell: Any, rate: float | Array, key: PRNGKeyArray, batch: int) -> Any:
    """Variational dropout on the recurrent products: one mask per sequence, the same at all steps.

    Gal & Ghahramani 2016, arXiv:1512.05287. Kept units are scaled by ``1 / (1 - rate)``.
    """
    _must_have_maps(cell, "dropout.recurrent")
    mask = dropout_mask(key, rate, (batch, *cell.spatial, cell.output_size))
    return cell.map_recurrent(lambda inner: MaskedMap(inner, mask))


def weight_drop(cell: Any, rate: float | Array, key: PRNGKeyArray) -> Any:
    """DropConnect on the recurrent kernels: one mask for the whole batch and all steps.

    Merity et al. 2018 (AWD-LSTM), arXiv:1708.02182. Kept weights are scaled by ``1 / (1 - rate)``.
    """
    _must_have_maps(cell, "dropout.weight")
    keys = KeyStream(key)

    def dropped(inner: LinearMap) -> LinearMap:
        thinned = rebuilt(inner.prepared())
        kernel = jax.numpy.asarray(thinned.kernel)
        thinned.kernel = nnx.Param(kernel * dropout_mask(keys(), rate, kernel.shape))
        return thinned

    return cell.map_recurrent(dropped)


def _must_have_maps(cell: Any, key: str) -> None:
    if all(getattr(cell, name, None) is None for name in cell.recurrent_maps):
        raise ValueError(f"{key} has nothing to act on: cell {cell.name} has no product with its state")


def dropout_mask(key: PRNGKeyArray, rate: float | Array, shape: tuple[int, ...]) -> Array:
    """``bernoulli(1 - rate) / (1 - rate)`` of the given shape; ``rate`` may be traced, and 1 drops everything."""
    kept = jax.random.bernoulli(key, 1.0 - rate, shape)
    return jax.numpy.where(kept, 1.0 / jax.numpy.maximum(1.0 - rate, 1e-6), 0.0)


class Wrapped(nnx.Module):
    """A cell that regularises another one; its inputs are pairs of the cell's own and an array of its own."""

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

    def project(self, x: tuple[Any, Any]) -> tuple[Any, Any]:
        """Project the input and pass the array on."""
        return self.cell.project(x[0]), x[1]

    def prepared(self) -> Any:
        """With the wrapped cell prepared."""
        return type(self)(self.cell.prepared())

    def pointwise(self) -> Any:
        """Without maps, as :meth:`lstmlab.cells.base.Cell.pointwise`."""
        return type(self)(self.cell.pointwise())

    def __getattr__(self, name: str) -> Any:
        """Whatever else the wrapped cell has: its states, and how a linear one reads and shows its memory."""
        if name == "cell":  # not there yet, while a copy is being made
            raise AttributeError(name)
        return getattr(self.cell, name)

    def delayed(self, z: tuple[Any, Any]) -> Array | None:
        """That of the wrapped cell, if it is linear."""
        return self.cell.delayed(z[0])


class CandidateDropout(Wrapped):
    r"""A cell whose candidate is dropped at random, step by step, while its memory is left alone.

    .. math:: \tilde c_t \leftarrow d_t \odot \tilde c_t

    Semeniuta et al. 2016, "Recurrent dropout without memory loss", arXiv:1603.05118. Its inputs are pairs
    ``(x, d)``, see :func:`candidate_masks`.
    """

    def update(self, state: Any, z: tuple[Any, Array], r: Array) -> tuple[Any, Gates]:
        """The wrapped update with the candidate masked."""
        return self._masked(z[1]).update(state, z[0], r)

    def step(self, state: Any, z: tuple[Any, Array]) -> tuple[Any, Gates]:
        """The wrapped whole step with the candidate masked."""
        return self._masked(z[1]).step(state, z[0])

    def activate(self, z: tuple[Any, Array], *past: Array | None) -> Gates:
        """The gates of a linear or matrix cell with the candidate masked."""
        return self._masked(z[1]).activate(z[0], *past)

    def _masked(self, mask: Array) -> Any:
        cell = rebuilt(self.cell)
        cell.candidate_mask = nnx.data(mask)
        return cell


def candidate_masks(
    cell: Cell, rate: float | Array, key: PRNGKeyArray, time: int, batch: int
) -> Float[Array, "time batch *candidate"]:
    """A mask on the candidate for every step. Raises ``ValueError`` for a cell that has none."""
    if "candidate" not in cell.gates:
        raise ValueError(f"dropout.candidate has nothing to act on: cell {cell.name} has no gate 'candidate'")
    return dropout_mask(key, rate, (time, batch, *cell.spatial, cell.gate_size("candidate")))


class Zoneout(Wrapped):
    r"""A cell whose state elements keep their old value at random.

    .. math:: s_t = k_t \odot s_{t-1} + (1 - k_t) \odot \tilde s_t

    with :math:`k_t` drawn per step and element from Bernoulli(rate) in training, and :math:`k_t` = rate in
    evaluation. Krueger et al. 2017, arXiv:1606.01305. Its inputs are pairs ``(x, k)``, see :func:`zoneout_masks`.
    """

    def update(self, state: Any, z: tuple[Any, Any], r: Array) -> tuple[Any, Gates]:
        """The wrapped update, mixed with the old state."""
        new, gates = self.cell.update(state, z[0], r)
        return _mix(state, new, z[1]), gates

    def step(self, state: Any, z: tuple[Any, Any]) -> tuple[Any, Gates]:
        """The wrapped whole step, mixed with the old state."""
        if self.form == "linear":
            state, gates = linear_step(self, state, z)
            return state, {name: gate for name, gate in gates.items() if name != KEPT}
        new, gates = self.cell.step(state, z[0])
        return _mix(state, new, z[1]), gates

    def activate(self, z: tuple[Any, Any], *past: Array | None) -> Gates:
        """The gates of a linear or matrix cell, and which elements of its memory or output are kept."""
        return {**self.cell.activate(z[0], *past), KEPT: jax.tree.leaves(z[1])[0]}

    def kept(self, gates: Gates) -> Array:
        """A matrix cell zones its output."""
        return gates[KEPT]

    def coefficients(self, gates: Gates) -> tuple[Array, Array]:
        """A linear cell zones its memory, which leaves it linear: ``k + (1 - k) a`` and ``(1 - k) b``."""
        a, b = self.cell.coefficients(gates)
        keep = gates[KEPT]
        return keep + (1 - keep) * a, (1 - keep) * b


def _mix(old: Any, new: Any, keep: Any) -> Any:
    """Field by field; those without a mask are new."""
    fields = zip(old, new, keep, strict=True)
    return type(new)(*(after if k is None else k * before + (1 - k) * after for before, after, k in fields))


def zoneout_masks(cell: Cell, rate: float | Array, key: PRNGKeyArray | None, time: int, batch: int) -> Any:
    """Keep-masks ``[time, batch, ...]`` for every step and zoned state field, in the state's own structure.

    Random with a key (training), the rate itself without (evaluation).
    """
    state = jax.eval_shape(lambda: cell.initial_state(batch))

    def mask(index: int, shape: tuple[int, ...]) -> Array:
        if key is None:
            return jax.numpy.broadcast_to(jax.numpy.asarray(rate, "float32"), shape)
        return jax.random.bernoulli(jax.random.fold_in(key, index), rate, shape).astype("float32")

    zoneout_fields = cell.zoneout_fields or state._fields
    masks = [
        mask(index, (time, *field.shape)) if name in zoneout_fields else None
        for index, (name, field) in enumerate(zip(state._fields, state, strict=True))
    ]
    return cell.state_type(*masks)
