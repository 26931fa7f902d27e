"""Evaluating a traced update on arrays that are held block by block, see :mod:`lstmlab.recurrence.pallas.cuts`."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Sequence
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Jaxpr, JaxprEqn, Literal

from lstmlab.recurrence.pallas.cuts import (
    COPIES,
    POINTWISE,
    REDUCTIONS,
    RESHAPES,
    Unsupported,
    inner_jaxpr,
    keeps_last_axis,
    last_axis,
    offsets,
    reshape_keeps_last_axis,
    shape,
    sliced,
    split_sizes,
)

SMALLEST = 16
"""The least size of a block that takes part in a product on a GPU's tensor cores."""


def padded(size: int) -> int:
    """The size at which a block is held: a power of two, as Triton wants it."""
    return 1 if size == 1 else max(SMALLEST, 1 << (size - 1).bit_length())


@functools.partial(jax.tree_util.register_dataclass, data_fields=["parts"], meta_fields=["sizes"])
@dataclasses.dataclass(frozen=True)
class Blocks:
    """An array, cut along its last axis."""

    sizes: tuple[int, ...]
    """the sizes of the blocks without padding"""
    parts: tuple[Any, ...]
    """one array per block; its last axis has the padded size, or 1 where all elements are equal"""

    def cut(self, sizes: tuple[int, ...]) -> tuple[Any, ...]:
        """The parts for blocks of other sizes: a part whose elements are all equal serves for any."""
        if sizes == self.sizes:
            return self.parts
        if self.sizes == (1,):  # it is broadcast
            return self.parts * len(sizes)
        borders = [*offsets(self.sizes), sum(self.sizes)]
        found = []
        for start, size in zip(offsets(sizes), sizes, strict=True):
            i = max(i for i, border in enumerate(borders) if border <= start)
            whole = (borders[i], self.sizes[i]) == (start, size)
            assert whole or self.parts[i].shape[-1] == 1, f"{self.sizes} cannot be cut into {sizes}"
            found.append(self.parts[i])
        return tuple(found)


Value: TypeAlias = Any
"""``Blocks``, or a scalar as it is."""


def evaluate(jaxpr: Jaxpr, constants: Sequence[Value], given: Sequence[Value]) -> list[Value]:
    """The results of a traced function whose operations :meth:`lstmlab.recurrence.pallas.cuts.Cuts.follow` has
    accepted."""
    known: dict[Any, Value] = dict(zip(jaxpr.constvars, constants, strict=True))
    known |= dict(zip(jaxpr.invars, given, strict=True))

    def read(var: Any) -> Value:
        # A NumPy scalar becomes a literal of the kernel; an array would be a constant, which kernels cannot have.
        return _scalar(var) if isinstance(var, Literal) else known[var]

    for eqn in jaxpr.eqns:
        known |= dict(zip(eqn.outvars, _apply(eqn, [read(v) for v in eqn.invars]), strict=True))
    return [read(v) for v in jaxpr.outvars]


def _scalar(literal: Any) -> Any:
    return np.asarray(literal.val, literal.aval.dtype)[()]


def _apply(eqn: JaxprEqn, given: list[Value]) -> list[Value]:
    name, inner = eqn.primitive.name, inner_jaxpr(eqn)
    if inner is not None:
        return evaluate(inner, (), given)
    if name in COPIES:
        return given
    if name in POINTWISE:
        return [_pointwise(eqn, given)]
    if name == "broadcast_in_dim":
        return [_broadcast(eqn, given[0])]
    if name in REDUCTIONS:
        return [_reduce(eqn, given[0])]
    if name in RESHAPES:
        return [_reshape(eqn, given[0])]
    if name == "split":
        return _split(given[0], split_sizes(eqn))
    if name == "slice":
        start, size, whole = sliced(eqn) or 0, shape(eqn.outvars[0])[-1], shape(eqn.invars[0])[-1]
        return [_split(given[0], (start, size, whole - start - size))[1]]
    if name == "concatenate":
        return [_joined(given)]
    if name == "pad":
        low, high, _ = map(int, eqn.params["padding_config"][-1])
        value, fill = given
        sides = [Blocks((n,), (jnp.broadcast_to(fill, (*value.parts[0].shape[:-1], 1)),)) for n in (low, high)]
        return [_joined([part for part in (sides[0], value, sides[1]) if sum(part.sizes)])]
    raise Unsupported(f"'{name}'")


def _pointwise(eqn: JaxprEqn, given: list[Value]) -> Value:
    blocks = [v for v in given if isinstance(v, Blocks)]
    if not blocks:
        return eqn.primitive.bind(*given, **eqn.params)
    sizes = _common([v.sizes for v in blocks])
    cut = [v.cut(sizes) if isinstance(v, Blocks) else (v,) * len(sizes) for v in given]
    parts = []
    for operands in zip(*cut, strict=True):
        whole = np.broadcast_shapes(*(o.shape for o in operands))
        parts.append(eqn.primitive.bind(*(jnp.broadcast_to(o, whole) for o in operands), **eqn.params))
    return Blocks(sizes, tuple(parts))


def _common(several: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """The sizes of blocks with a cut wherever one of the operands has one; those that are broadcast have none."""
    whole = max(map(sum, several))
    cuts = sorted({whole, *(o for sizes in several if sum(sizes) == whole for o in offsets(sizes))})
    return tuple(b - a for a, b in itertools.pairwise(cuts))


def _broadcast(eqn: JaxprEqn, value: Value) -> Value:
    after, dimensions = eqn.params["shape"], eqn.params["broadcast_dimensions"]
    if not after:
        return value
    if not isinstance(value, Blocks):
        return Blocks((after[-1],), (jnp.broadcast_to(value, (*after[:-1], 1)),))

    def broadcast(part: Any, width: int) -> Any:
        return jax.lax.broadcast_in_dim(part, (*after[:-1], width), dimensions)

    if keeps_last_axis(eqn):
        return Blocks(value.sizes, tuple(broadcast(part, part.shape[-1]) for part in value.parts))
    (part,) = value.parts
    if part.shape != shape(eqn.invars[0]):
        raise Unsupported("'broadcast_in_dim' of features to another axis")
    return Blocks((after[-1],), (broadcast(part, 1),))


def _reduce(eqn: JaxprEqn, value: Value) -> Value:
    if not isinstance(value, Blocks):
        return value
    axes, last = eqn.params["axes"], last_axis(eqn)
    reduce = {"reduce_sum": jnp.sum, "reduce_max": jnp.max, "reduce_min": jnp.min}[eqn.primitive.name]
    if last not in axes:
        return Blocks(value.sizes, tuple(reduce(part, axis=axes) for part in value.parts))
    join = {"reduce_sum": jnp.add, "reduce_max": jnp.maximum, "reduce_min": jnp.minimum}[eqn.primitive.name]
    result = None
    for size, part in zip(value.sizes, value.parts, strict=True):
        reduced = reduce(_neutral(eqn.primitive.name, part, size), axis=axes)
        result = reduced if result is None else join(result, reduced)
    assert result is not None
    return Blocks((result.shape[-1],), (result,)) if result.shape else result


def _neutral(name: str, part: Any, size: int) -> Any:
    """A block whose padding does not count in a reduction over its last axis."""
    if part.shape[-1] == 1 or part.shape[-1] == size:
        return part * size if name == "reduce_sum" and part.shape[-1] < size else part
    least = {"reduce_sum": 0, "reduce_max": -np.inf, "reduce_min": np.inf}[name]
    inside = jax.lax.broadcasted_iota(jnp.int32, part.shape, part.ndim - 1) < size
    return jnp.where(inside, part, jnp.asarray(least, part.dtype))


def _reshape(eqn: JaxprEqn, value: Value) -> Value:
    after = shape(eqn.outvars[0])
    if isinstance(value, Blocks) and reshape_keeps_last_axis(eqn):
        return Blocks(value.sizes, tuple(jnp.reshape(p, (*after[:-1], p.shape[-1])) for p in value.parts))
    part = value.parts[0] if isinstance(value, Blocks) else value
    if not after:
        return jnp.sum(part)  # one element: Triton reduces it to a scalar, and cannot reshape it to one
    if part.size != np.prod(after):
        raise Unsupported("'reshape' of padded features")
    return Blocks((after[-1],), (jnp.reshape(part, after),))


def _split(value: Blocks, sizes: Sequence[int]) -> list[Value]:
    found = []
    for start, size in zip(offsets(sizes), sizes, strict=True):
        inside = [i for i, o in enumerate(offsets(value.sizes)) if start <= o < start + size]
        if not inside:  # within a block whose elements are all equal, or empty
            i = max(i for i, o in enumerate(offsets(value.sizes)) if o <= start)
            assert size == 0 or value.parts[i].shape[-1] == 1
            found.append(Blocks((size,), (value.parts[i],)))
            continue
        part = Blocks(tuple(value.sizes[i] for i in inside), tuple(value.parts[i] for i in inside))
        if sum(part.sizes) != size:  # a block of equal elements reaches out of this part
            assert len(inside) == 1 and part.parts[0].shape[-1] == 1
            part = Blocks((size,), part.parts)
        found.append(part)
    return found


def _joined(values: Sequence[Blocks]) -> Blocks:
    return Blocks(tuple(n for v in values for n in v.sizes), tuple(p for v in values for p in v.parts))
