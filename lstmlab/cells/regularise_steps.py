r"""Regularisers that act at every step: candidate dropout and zoneout.

Each wraps a cell, and every backend runs the wrapped cell unchanged. Masks are drawn once per sequence, outside the
loop, and travel beside the inputs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, PyTree

from lstmlab.arrays import Key, Projected, Traceable
from lstmlab.cells.base import Cell
from lstmlab.cells.forms import Form, is_linear
from lstmlab.cells.linear import linear_step
from lstmlab.cells.maps import LinearMap, rebuilt
from lstmlab.cells.regularise import dropout_mask
from lstmlab.cells.state import Gates

T = TypeVar("T")
W = TypeVar("W", bound="Wrapped")


class Wrapped(nnx.Module):
    """A cell that regularises another one; its inputs are pairs of the cell's own and masks."""

    additive = False
    """``z`` is a pair, which has no sum with ``r``."""

    def __init__(self, cell: Any) -> None:
        self.cell = cell

    @property
    def recurrent(self) -> LinearMap:
        """The wrapped cell's map of ``h``."""
        return self.cell.recurrent

    @property
    def form(self) -> Form:
        """That of the wrapped cell."""
        return self.cell.form

    def initial_state(self, *batch: int) -> Any:
        """That of the wrapped cell."""
        return self.cell.initial_state(*batch)

    def project(self, x: tuple[PyTree, PyTree]) -> Projected:
        """The wrapped cell's projection, and the masks."""
        return self.cell.project(x[0]), x[1]

    def prepared(self: W) -> W:
        """With the wrapped cell prepared."""
        return type(self)(self.cell.prepared())

    def pointwise(self: W) -> W:
        """Without maps, as :meth:`lstmlab.cells.base.Cell.pointwise`."""
        return type(self)(self.cell.pointwise())

    def delayed(self, z: tuple[Projected, PyTree]) -> Array | None:
        """That of the wrapped cell, if it is linear."""
        return self.cell.delayed(z[0])

    def output_keep(self, z: tuple[Projected, PyTree]) -> Array | None:
        """That of the wrapped cell, if it has a matrix memory."""
        return self.cell.output_keep(z[0])

    def __getattr__(self, name: str) -> Any:
        """Whatever else the wrapped cell has, such as the way from a linear cell's memory to its output."""
        if name == "cell":  # not there yet, while a copy is being made
            raise AttributeError(name)
        return getattr(self.cell, name)


class CandidateMask:
    """The mask of candidate dropout within one step. It knows whether the cell has applied it."""

    def __init__(self, mask: Array) -> None:
        self.mask, self.applied = mask, False

    def __call__(self, candidate: Array) -> Array:
        """The masked candidate."""
        self.applied = True
        return candidate * self.mask


class CandidateDropout(Wrapped):
    r"""A cell whose candidate is dropped at random, step by step, while its memory is left alone.

    .. math:: \tilde c_t \leftarrow d_t \odot \tilde c_t

    Semeniuta et al. 2016, "Recurrent dropout without memory loss", arXiv:1603.05118. Its inputs are pairs
    ``(x, d)``, see :func:`candidate_masks`. Raises ``ValueError``, while it is traced, for a cell that does not get its
    candidate from :meth:`lstmlab.cells.base.Cell.candidate_activation`.
    """

    def update(self, state: Any, z: tuple[Projected, Array], r: Array) -> tuple[Any, Gates]:
        """The wrapped update with the candidate masked."""
        return self._masked(z[1], lambda cell: cell.update(state, z[0], r))

    def step(self, state: Any, z: tuple[Projected, Array]) -> tuple[Any, Gates]:
        """The wrapped whole step with the candidate masked."""
        return self._masked(z[1], lambda cell: cell.step(state, z[0]))

    def recurrence(self, z: tuple[Projected, Array], past: Array | None) -> tuple[Gates, Array, Array]:
        """Gates and coefficients of a linear cell with the candidate masked."""
        return self._masked(z[1], lambda cell: cell.recurrence(z[0], past))

    def activate(self, z: tuple[Projected, Array]) -> Gates:
        """The gates of a matrix cell with the candidate masked."""
        return self._masked(z[1], lambda cell: cell.activate(z[0]))

    def _masked(self, mask: Array, call: Callable[[Any], T]) -> T:
        """What the wrapped cell gives while its candidate is masked."""
        cell, candidate_mask = rebuilt(self.cell), CandidateMask(mask)
        cell.candidate_mask = candidate_mask
        result = call(cell)
        if not candidate_mask.applied:
            raise ValueError(
                f"dropout.candidate does not reach cell {cell.name}: it must get its gate 'candidate' from "
                "self.candidate_activation"
            )
        return result


def candidate_masks(
    cell: Cell, rate: Traceable, key: Key, time: int, batch: int
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

    def update(self, state: Any, z: tuple[Projected, Any], r: Array) -> tuple[Any, Gates]:
        """The wrapped update, mixed with the old state."""
        new, gates = self.cell.update(state, z[0], r)
        return _mix(state, new, z[1]), gates

    def step(self, state: Any, z: tuple[Projected, Any]) -> tuple[Any, Gates]:
        """The wrapped whole step, mixed with the old state."""
        if is_linear(self):
            return linear_step(self, state, z)
        new, gates = self.cell.step(state, z[0])
        return _mix(state, new, z[1]), gates

    def recurrence(self, z: tuple[Projected, Any], past: Array | None) -> tuple[Gates, Array, Array]:
        """Zoneout on a linear cell's memory leaves it linear: ``k + (1 - k) a`` and ``(1 - k) b``."""
        gates, a, b = self.cell.recurrence(z[0], past)
        keep = _memory_mask(z[1])
        return gates, keep + (1 - keep) * a, (1 - keep) * b

    def activate(self, z: tuple[Projected, Any]) -> Gates:
        """The gates of a matrix cell."""
        return self.cell.activate(z[0])

    def output_keep(self, z: tuple[Projected, Any]) -> Array:
        """Zoneout on a matrix cell acts on its output."""
        return _memory_mask(z[1])


def _memory_mask(masks: Any) -> Array:
    """The mask of a linear cell's memory or a matrix cell's output. Both parts of a complex memory share the first."""
    return jax.tree.leaves(masks)[0]


def _mix(old: Any, new: Any, keep: Any) -> Any:
    """Field by field; those without a mask are new."""
    fields = zip(old, new, keep, strict=True)
    return type(new)(*(after if k is None else k * before + (1 - k) * after for before, after, k in fields))


def zoneout_masks(cell: Cell, rate: Traceable, key: Key | None, time: int, batch: int) -> Any:
    """Keep-masks ``[time, batch, ...]`` for every step, in the state's own structure; ``None`` for a field on which
    zoneout does not act.

    Random with a key (training), the rate itself without (evaluation).
    """
    state = jax.eval_shape(lambda: cell.initial_state(batch))

    def mask(index: int, shape: tuple[int, ...]) -> Array:
        if key is None:
            return jnp.broadcast_to(jnp.asarray(rate, "float32"), shape)
        return jax.random.bernoulli(jax.random.fold_in(key, index), rate, shape).astype("float32")

    zoneout_fields = cell.zoneout_fields or state._fields
    masks = [
        mask(index, (time, *field.shape)) if name in zoneout_fields else None
        for index, (name, field) in enumerate(zip(state._fields, state, strict=True))
    ]
    return cell.state_type(*masks)
