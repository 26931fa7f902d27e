"""The whole loop over time in one kernel, for GPUs (Pallas, translated by Triton).

On a GPU every operation of a step that XLA does not fuse is a kernel of its own, and what starts it takes longer than
what it computes, at the sizes of most recurrent cells. Here one kernel runs all steps of a tile of sequences: the state
stays on the chip, the recurrent weights as well if they are small enough. The backward pass is that of
:mod:`lstmlab.recurrence.fused`, with its reverse loop in a second kernel; the gradient of the map is one product after
it. The kernel holds the cell's own ``update``, see :mod:`lstmlab.recurrence.pallas.update`.

On CPUs the kernels are interpreted, which is slow: there they are for tests. Inside ``jax.shard_map`` they need
``check_vma=False``, as all Pallas kernels that are interpreted do.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton
from jaxtyping import Array, PyTree

from lstmlab.arrays import Projected
from lstmlab.cells.forms import PointwiseForm
from lstmlab.cells.maps import LinearMap
from lstmlab.cells.state import State
from lstmlab.promotion import is_float, standard_promotion
from lstmlab.recurrence.masks import StepMask, states_before, zero_padding
from lstmlab.recurrence.pallas.cuts import Unsupported
from lstmlab.recurrence.pallas.kernels import Fixed, Kind, Results, Steps, backward_kernel, forward_kernel
from lstmlab.recurrence.pallas.layout import Layout
from lstmlab.recurrence.pallas.product import is_diagonal, pack_weights
from lstmlab.recurrence.pallas.update import Update, trace_update

TILE = 16
"""Sequences per program: the fewest rows of a product on tensor cores, so that a small batch uses many cores. Not
measured against larger tiles, and neither is the number of warps."""
WARPS = 8
STAGES = 1
"""Copies of what is read in the loop that Triton keeps on the chip to read ahead: with more, the weights of 128 units
take 500 KiB, and no GPU has as much."""

S = TypeVar("S", bound=State)


class Saved(NamedTuple):
    """What the backward pass needs of the forward pass; padded as the kernels left it."""

    recurrent: LinearMap
    pointwise: PointwiseForm
    z: Projected
    state: State
    step_mask: StepMask
    after: list[Array]
    r: Array


def pallas(cell: PointwiseForm, xs: PyTree, state: S, step_mask: StepMask, *, reverse: bool) -> tuple[S, Array]:
    """Run the cell over inputs ``xs`` (time-major): final state and outputs."""
    return _pallas(reverse, cell.recurrent, cell.pointwise(), cell.project(xs), state, step_mask)


@standard_promotion
def _run(
    reverse: bool, recurrent: LinearMap, pointwise: PointwiseForm, z: Projected, state: S, step_mask: StepMask
) -> tuple[S, Array]:
    """Final state and outputs from projected inputs."""
    loop = Loop(recurrent, pointwise, z, state, step_mask)
    return loop.shown(loop.forward(reverse, save=False).state, reverse)


_pallas = jax.custom_vjp(_run, nondiff_argnums=(0,))


@standard_promotion
def _save(
    reverse: bool, recurrent: LinearMap, pointwise: PointwiseForm, z: Projected, state: S, step_mask: StepMask
) -> tuple[tuple[S, Array], Saved]:
    """The same, and what the backward pass needs."""
    loop = Loop(recurrent, pointwise, z, state, step_mask)
    found = loop.forward(reverse, save=True)
    return loop.shown(found.state, reverse), Saved(recurrent, pointwise, z, state, step_mask, found.state, found.r)


@standard_promotion
def _backward(
    reverse: bool, saved: Saved, cotangents: tuple[S, Array]
) -> tuple[LinearMap, PointwiseForm, Projected, S, None]:
    """Cotangents of the arguments of :func:`_run` from those of its results."""
    loop = Loop(saved.recurrent, saved.pointwise, saved.z, saved.state, saved.step_mask)
    before, found = loop.backward(reverse, saved.after, saved.r, *cotangents)
    recurrent = saved.recurrent
    d_r = loop.unpadded(loop.update.r, found.r)
    d_recurrent = jax.vjp(lambda m: m(loop.unpadded(loop.update.state[loop.h], before[loop.h])), recurrent)[1](d_r)[0]
    d_params = [layout.unpack(d).sum(0) for layout, d in zip(loop.update.d_params, found.params, strict=True)]
    d_z = [loop.unpadded(layout, d) for layout, d in zip(loop.update.d_z, found.z, strict=True)]
    d_state = [loop.unpadded(layout, d, 0) for layout, d in zip(loop.update.state, found.state, strict=True)]
    return (
        d_recurrent,
        _with_floats(saved.pointwise, d_params),
        d_r if saved.pointwise.additive else _with_floats(saved.z, d_z),
        jax.tree.unflatten(jax.tree.structure(saved.state), d_state),
        None,
    )


_pallas.defvjp(_save, _backward)


class Loop:
    """One recurrence as kernels run it: its arrays are padded to tiles of sequences and to blocks of features."""

    def __init__(
        self, recurrent: LinearMap, pointwise: PointwiseForm, z: Projected, state: State, step_mask: StepMask
    ) -> None:
        self.time, self.batch = jax.tree.leaves(z)[0].shape[:2]
        tile = functools.partial(jax.tree.map, lambda a: jax.ShapeDtypeStruct((TILE, *a.shape[1:]), a.dtype))
        self.like, one_step = state, jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape[1:], a.dtype), z)
        r = jax.eval_shape(recurrent, state.h)
        gates = r.shape[-1] // state.h.shape[-1] if is_diagonal(recurrent) else 0
        try:
            self.update: Update = trace_update(pointwise, tile(state), tile(one_step), tile(r), gates)
        except Unsupported as error:
            raise ValueError(f"backend 'pallas' cannot run this cell: its update uses {error}") from None
        self.h, self.additive, self.r_type = state._fields.index("h"), pointwise.additive, r.dtype
        self.weights = pack_weights(recurrent, self.update.state[self.h], self.update.r)
        if self.weights.mask is not None:
            self.weights = self.weights._replace(mask=self._rows(self.weights.mask, 0))
        leaves = zip(self.update.params, jax.tree.leaves(pointwise), strict=True)
        # Padding repeats the last element: zero could be a bad value, such as that of a period.
        self.params = [layout.pack(jnp.asarray(p), mode="edge") for layout, p in leaves]
        self.float_types = [p.dtype for p in self.params if is_float(p)]
        self.z, self.start = jax.tree.leaves(z), jax.tree.leaves(state)
        self.step_mask, self.masks = step_mask, jax.tree.map(lambda m: self._rows(m, 1), step_mask)

    def forward(self, reverse: bool, save: bool) -> Results:
        """States after every step, and what the backward pass needs if it is to be saved."""
        update = self.update
        fixed = Fixed(self.weights, self.params, self._constants(update.forward), self._states(self.start, 0))
        steps = Steps(self.masks, self._packed(update.z, self.z, 1), [], None, None)
        states = [self._steps(s.shape[-1], s.dtype) for s in fixed.start]
        results = Results(states, self._steps(update.r.width, self.r_type) if save else None, [], [])
        return self._call(forward_kernel, reverse, fixed, steps, results)

    def backward(
        self, reverse: bool, after: list[Array], r: Array, d_final: State, d_outputs: Array
    ) -> tuple[list[Array], Results]:
        """The padded states before every step, and cotangents."""
        update = self.update
        first = jax.tree.unflatten(jax.tree.structure(self.like), self._states(self.start, 0))
        later = jax.tree.unflatten(jax.tree.structure(self.like), after)
        before = jax.tree.leaves(states_before(first, later, self.masks, reverse))
        constants, d_start = self._constants(update.backward), self._states(jax.tree.leaves(d_final), 0)
        z = [] if self.additive else self._packed(update.z, self.z, 1)
        d_output = self._rows(update.state[self.h].pack(d_outputs), 1)
        places = zip(update.d_params, self.float_types, strict=True)
        tiles = d_start[0].shape[0] // TILE
        z_types = [leaf.dtype for leaf in self.z if is_float(leaf)]
        results = Results(
            [jax.ShapeDtypeStruct(d.shape, d.dtype) for d in d_start],
            self._steps(update.r.width, self.r_type),
            [self._steps(layout.width, dtype) for layout, dtype in zip(update.d_z, z_types, strict=False)],
            [jax.ShapeDtypeStruct((tiles, layout.width), dtype) for layout, dtype in places],
        )
        fixed = Fixed(self.weights, self.params, constants, d_start)
        steps = Steps(self.masks, z, before, r, d_output)
        return before, self._call(backward_kernel, not reverse, fixed, steps, results)

    def shown(self, after: list[Array], reverse: bool) -> tuple[Any, Array]:
        """Final state and outputs of the sequences, from padded states after every step."""
        states = [self.unpadded(layout, a) for layout, a in zip(self.update.state, after, strict=True)]
        final = jax.tree.unflatten(jax.tree.structure(self.like), [s[0 if reverse else -1] for s in states])
        return final, zero_padding(states[self.h], self.step_mask)

    def unpadded(self, layout: Layout, array: Array, axis: int = 1) -> Array:
        """An array without padded features and sequences; ``axis`` is that of the sequences."""
        return jax.lax.slice_in_dim(layout.unpack(array), 0, self.batch, axis=axis)

    def _call(
        self, kernel: Callable[..., None], backwards: bool, fixed: Fixed, steps: Steps, results: Results
    ) -> Results:
        kind = Kind(self.update, self.h, self.additive, self.time, backwards)
        rows = (fixed.start, fixed.weights.mask)
        fixed_specs = jax.tree.map(_whole, fixed)
        fixed_specs = fixed_specs._replace(
            start=jax.tree.map(_tiled, rows[0]),
            weights=fixed_specs.weights._replace(mask=jax.tree.map(_tiled, rows[1])),
        )
        result_specs = jax.tree.map(_tiled, results)._replace(params=jax.tree.map(_one_row, results.params))
        call = pl.pallas_call(
            functools.partial(kernel, kind),
            out_shape=(results,),
            grid=(fixed.start[0].shape[0] // TILE,),
            in_specs=(fixed_specs, jax.tree.map(_tiled, steps)),
            out_specs=(result_specs,),
            interpret=interpreted(),
            compiler_params=triton.CompilerParams(num_warps=WARPS, num_stages=STAGES),
            name=kernel.__name__,
        )
        return call(fixed, steps)[0]

    def _constants(self, traced: Any) -> list[Array]:
        values = zip(traced.constants, traced.jaxpr.consts, strict=True)
        return [layout.pack(jnp.asarray(value), mode="edge") for layout, value in values]

    def _states(self, state: list[Array], axis: int) -> list[Array]:
        return self._packed(self.update.state, state, axis)

    def _packed(self, layouts: list[Layout], arrays: list[Array], axis: int) -> list[Array]:
        return [self._rows(layout.pack(a), axis) for layout, a in zip(layouts, arrays, strict=True)]

    def _rows(self, array: Array, axis: int) -> Array:
        """The array with sequences of zeros that fill up the last tile."""
        pads = [(0, -self.batch % TILE if i == axis else 0) for i in range(array.ndim)]
        return jnp.pad(array, pads)

    def _steps(self, width: int, dtype: Any) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct((self.time, self.batch + -self.batch % TILE, width), dtype)


def interpreted() -> bool:
    """Whether kernels are interpreted: CPUs cannot run them."""
    return jax.default_backend() == "cpu"


def _whole(array: Any) -> pl.BlockSpec:
    return pl.BlockSpec(array.shape, lambda i: (0,) * array.ndim)


def _tiled(array: Any) -> pl.BlockSpec:
    """One tile of sequences: of ``[time, batch, ...]``, or of ``[batch, features]`` if it is of floats."""
    axis = 1 if array.ndim == 3 or array.dtype == bool else 0
    shape = tuple(TILE if i == axis else n for i, n in enumerate(array.shape))
    return pl.BlockSpec(shape, lambda tile: tuple(tile if i == axis else 0 for i in range(len(shape))))


def _one_row(array: Any) -> pl.BlockSpec:
    return pl.BlockSpec((1, array.shape[1]), lambda tile: (tile, 0))


def _with_floats(tree: PyTree, floats: list[Array]) -> PyTree:
    """Cotangents of a tree: the given ones, and none for leaves that have no gradient."""
    leaves, structure = jax.tree.flatten(tree)
    rest = iter(floats)
    return jax.tree.unflatten(structure, [next(rest) if is_float(leaf) else None for leaf in leaves])
