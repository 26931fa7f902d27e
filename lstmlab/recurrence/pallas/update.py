"""The traced update of a cell and its backward pass, as a kernel evaluates them block by block."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr

from lstmlab.cells.forms import PointwiseForm
from lstmlab.promotion import is_float, standard_promotion
from lstmlab.recurrence.pallas.cuts import Axis, Cuts, Unsupported, new_axis
from lstmlab.recurrence.pallas.layout import Layout
from lstmlab.recurrence.pallas.values import evaluate

MOST_PRODUCTS = 32
"""Products of blocks in one step. Compiled for an H100, an LSTM of 128 units (4 products) just fits into the registers;
with 256 units (16) much is moved out of them, and with 512 (64) compiling takes minutes."""


class Shapes(NamedTuple):
    """What one step of ``TILE`` sequences takes: leaves of the pytrees, as shapes and types."""

    params: list[Any]
    state: list[Any]
    z: list[Any]
    r: Any


class Traced(NamedTuple):
    """A function of arrays in blocks, and the constants that it needs, which a kernel gets as operands."""

    jaxpr: ClosedJaxpr
    constants: list[Layout]

    def __call__(self, constants: Sequence[Any], *given: Any) -> list[Any]:
        """The results, from leaves."""
        return evaluate(self.jaxpr.jaxpr, constants, given)


class Update(NamedTuple):
    """The update of one cell for kernels, and how everything that it takes and gives lies in memory."""

    forward: Traced
    """from parameters, state, ``z`` and ``r`` to the new state"""
    backward: Traced
    """from the same and the cotangents of the new state to those of the float parameters, the state, the float leaves
    of ``z``, and ``r`` (of an additive cell: of ``z + r``, which takes the place of both)"""
    params: list[Layout]
    state: list[Layout]
    z: list[Layout]
    r: Layout
    d_params: list[Layout]
    """of the parameters that have gradients"""
    d_z: list[Layout]
    """of the leaves of ``z`` that have gradients; none of an additive cell"""


def trace_update(pointwise: PointwiseForm, state: Any, z: Any, r: Any, gates: int = 0) -> Update:
    """Trace the update for arrays of these shapes (a tile of sequences first).

    Args:
        pointwise: the cell without its maps.
        state: arrays or shapes ``[tile, features]``; ``z`` and ``r`` likewise.
        gates: of a diagonal map, how many copies of ``h`` there are in ``r``, which are cut as ``h`` is.

    Raises:
        Unsupported: for operations of the update that blocks cannot serve.
    """
    trees = [jax.tree.structure(tree) for tree in (pointwise, state, z)]
    params, fields, projected, r = (_shapes(tree) for tree in (pointwise, state, z, r))
    shapes = Shapes(params, fields, projected, r[0])
    _check_ranks(shapes)
    forward = jax.make_jaxpr(_forward(trees))(*shapes)
    backward = jax.make_jaxpr(_backward(trees, pointwise.additive))(*shapes, shapes.state)
    axes = Shapes(_axes(params), _axes(fields), _axes(projected), Axis(r[0].shape[-1]))
    cuts = Cuts()
    if pointwise.additive:
        axes.z[0].merge(axes.r)
    for i in range(gates):
        cuts.part(axes.r, i * axes.state[_h(state)].size, axes.state[_h(state)])
    d_params = [a for a, s in zip(axes.params, shapes.params, strict=True) if is_float(s)]
    d_z = [a for a, s in zip(axes.z, shapes.z, strict=True) if is_float(s) and not pointwise.additive]
    inputs = [*axes.params, *axes.state, *axes.z, axes.r]
    results = [*d_params, *axes.state, *d_z, axes.r]
    constants = [
        _follow(cuts, forward, inputs, axes.state),
        _follow(cuts, backward, [*inputs, *axes.state], results),
    ]
    cuts.settle([*inputs, *constants[0], *constants[1]])
    if not gates:
        _check_product(axes.state[_h(state)], axes.r)
    return Update(
        forward=Traced(forward, _layouts(constants[0])),
        backward=Traced(backward, _layouts(constants[1])),
        params=_layouts(axes.params),
        state=_layouts(axes.state),
        z=_layouts(axes.z),
        r=Layout(axes.r.sizes),
        d_params=_layouts(d_params),
        d_z=_layouts(d_z),
    )


def _forward(trees: list[Any]) -> Callable[..., list[Any]]:
    @standard_promotion
    def forward(params: Any, state: Any, z: Any, r: Any) -> list[Any]:
        cell, state, z = (jax.tree.unflatten(t, leaves) for t, leaves in zip(trees, (params, state, z), strict=True))
        return jax.tree.leaves(cell.update(state, z, r)[0])

    return forward


def _backward(trees: list[Any], additive: bool) -> Callable[..., list[Any]]:
    forward = _forward(trees)

    @standard_promotion
    def backward(params: Any, state: Any, z: Any, r: Any, d_new: Any) -> list[Any]:
        floats, put = _floats((params, state, [] if additive else z, r))

        def new_state(floats: list[Any]) -> list[Any]:
            params, state, z_, r = put(floats)
            return forward(params, state, [jnp.zeros_like(r)] if additive else z_, r)

        return jax.vjp(new_state, floats)[1](d_new)[0]

    return backward


def _floats(tree: Any) -> tuple[list[Any], Callable[[list[Any]], Any]]:
    """The leaves that can be differentiated, and the way back from them to the tree."""
    leaves, structure = jax.tree.flatten(tree)

    def put(floats: list[Any]) -> Any:
        rest = iter(floats)
        return jax.tree.unflatten(structure, [next(rest) if is_float(leaf) else leaf for leaf in leaves])

    return [leaf for leaf in leaves if is_float(leaf)], put


def _h(state: Any) -> int:
    """The number of ``h`` among the leaves of a state."""
    return type(state)._fields.index("h")


def _check_ranks(shapes: Shapes) -> None:
    if any(len(s.shape) > 1 for s in shapes.params):
        raise Unsupported("a parameter that is no vector")
    if any(len(s.shape) != 2 for s in (*shapes.state, *shapes.z, shapes.r)):
        raise Unsupported("a state with spatial axes")
    if not all(map(is_float, shapes.state)):
        raise Unsupported("a state that holds no floating-point numbers")


def _check_product(h: Axis | None, r: Axis) -> None:
    assert h is not None
    if 1 in (*h.sizes, *r.sizes):
        raise Unsupported("a single unit of the state or of a gate by itself")
    blocks = len(r.sizes) * len(h.sizes)
    if blocks > MOST_PRODUCTS:
        raise Unsupported(
            f"{blocks} blocks of recurrent weights, but a kernel serves {MOST_PRODUCTS} (of an LSTM: 256 units)"
        )


def _shapes(tree: Any) -> list[Any]:
    """Shapes and types alone: inside ``jax.shard_map`` arrays also say over which devices they vary."""
    return [jax.ShapeDtypeStruct(leaf.shape, leaf.dtype) for leaf in jax.tree.leaves(tree)]


def _axes(shapes: Sequence[Any]) -> list[Axis | None]:
    return [Axis(s.shape[-1]) if s.shape else None for s in shapes]


def _follow(
    cuts: Cuts, traced: ClosedJaxpr, inputs: Sequence[Axis | None], results: Sequence[Axis | None]
) -> list[Axis | None]:
    """Follow one function whose results are cut as given; the axes of its constants."""
    jaxpr = traced.jaxpr
    constants = [new_axis(v) for v in jaxpr.constvars]
    if any(len(v.aval.shape) > 1 for v in jaxpr.constvars):
        raise Unsupported("a constant that is no vector")
    found = cuts.follow(jaxpr, inputs, constants)
    for axis, result in zip(found, results, strict=True):
        if axis is not None and result is not None:
            axis.merge(result)
    return constants


def _layouts(axes: Sequence[Axis | None]) -> list[Layout]:
    return [Layout(() if axis is None else axis.sizes) for axis in axes]
