"""Where the arrays of an update are cut along their features, so that a kernel can hold them block by block.

Kernels for GPUs know neither slices nor concatenations, and want sizes that are powers of two. A stacked array such as
``z`` of three gates is therefore held as three blocks. The places of the cuts follow from the traced update: arrays
that are added are cut alike, and what is split has a cut at each border.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from jax.extend.core import Jaxpr, JaxprEqn, Literal

POINTWISE = frozenset(
    {
        "abs", "add", "add_any", "and", "atan2", "cbrt", "ceil", "clamp", "convert_element_type",
        "cos", "cosh", "div", "eq", "exp", "exp2", "expm1", "floor", "ge", "gt", "integer_pow",
        "is_finite", "le", "log", "log1p", "logistic", "lt", "max", "min", "mul", "ne", "neg",
        "nextafter", "not", "or", "pow", "rem", "rsqrt", "select_n", "sign", "sin",
        "sinh", "sqrt", "square", "stop_gradient", "sub", "tan", "tanh", "xor",
    }
)  # fmt: skip
"""Primitives that act on every element alone and that Pallas can translate for GPUs."""
COPIES = frozenset({"copy", "copy_p", "name"})
CALLS = frozenset(
    {"jit", "pjit", "closed_call", "eval_jaxpr", "custom_jvp_call", "custom_vjp_call", "checkpoint", "remat2"}
)
"""Primitives that call a traced function; releases of JAX name some of them differently."""
REDUCTIONS = frozenset({"reduce_sum", "reduce_max", "reduce_min"})
RESHAPES = frozenset({"reshape", "squeeze", "expand_dims"})


LARGEST = 128
"""Features of a block at most: a kernel holds several blocks of weights ``[LARGEST, LARGEST]`` at a time."""


class Unsupported(ValueError):
    """An operation of an update that blocks cannot serve; the message names it."""


class Axis:
    """The last axis of all arrays that are cut at the same places."""

    def __init__(self, size: int) -> None:
        self.size, self.cuts, self._same = size, {0, size}, None

    def root(self) -> Axis:
        """The axis that stands for all that were merged with this one."""
        return self if self._same is None else self._same.root()

    def merge(self, other: Axis) -> None:
        """Cut both alike from now on."""
        a, b = self.root(), other.root()
        if a is not b:
            assert a.size == b.size, f"{a.size} and {b.size} features"
            b.cuts |= a.cuts
            a._same = b

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes of the blocks."""
        cuts = sorted(self.root().cuts)
        return tuple(b - a for a, b in itertools.pairwise(cuts))


class Cuts:
    """All axes of traced functions, and which of them are parts of others."""

    def __init__(self) -> None:
        self._parts: list[tuple[Axis, int, Axis]] = []

    def part(self, whole: Axis | None, offset: int, part: Axis | None) -> None:
        """``part`` is ``whole`` from ``offset`` on."""
        assert whole is not None and part is not None
        self._parts.append((whole, offset, part))

    def settle(self, axes: Iterable[Axis | None] = ()) -> None:
        """Carry all cuts from parts to wholes and back, and cut the given axes into blocks of at most ``LARGEST``."""
        self._carry()
        for axis in axes:
            if axis is not None:
                borders = itertools.pairwise(sorted(axis.root().cuts))
                axis.root().cuts |= {cut for border in borders for cut in range(*border, _even(*border))}
        self._carry()

    def _carry(self) -> None:
        changed = True
        while changed:
            changed = False
            for whole, offset, part in self._parts:
                a, b = whole.root().cuts, part.root().cuts
                inside = {c - offset for c in a if 0 < c - offset < part.size}
                outside = {c + offset for c in b}
                changed |= not (inside <= b and outside <= a)
                b |= inside
                a |= outside

    def follow(
        self, jaxpr: Jaxpr, inputs: Sequence[Axis | None], constants: Sequence[Axis | None] = ()
    ) -> list[Axis | None]:
        """The axes of a function's results; raises :class:`Unsupported` for operations that blocks cannot serve.

        Arrays without axes have ``None``.
        """
        known: dict[Any, Axis | None] = dict(zip(jaxpr.invars, inputs, strict=True))
        known |= dict(zip(jaxpr.constvars, constants, strict=True))
        for eqn in jaxpr.eqns:
            given = [None if isinstance(v, Literal) else known[v] for v in eqn.invars]
            known |= dict(zip(eqn.outvars, self._results(eqn, given), strict=True))
        return [None if isinstance(v, Literal) else known[v] for v in jaxpr.outvars]

    def _results(self, eqn: JaxprEqn, given: list[Axis | None]) -> list[Axis | None]:
        name, out = eqn.primitive.name, [new_axis(v) for v in eqn.outvars]
        inner = inner_jaxpr(eqn)
        if inner is not None:
            return self.follow(inner, given)
        if name in POINTWISE or name in COPIES:
            for axis in given:
                if axis is not None and out[0] is not None and axis.size == out[0].size:  # not if it is broadcast
                    axis.merge(out[0])
        elif name == "broadcast_in_dim":
            if keeps_last_axis(eqn) and given[0] is not None and out[0] is not None:
                given[0].merge(out[0])
        elif name in REDUCTIONS:
            if given[0] is not None and out[0] is not None and last_axis(eqn) not in eqn.params["axes"]:
                given[0].merge(out[0])
        elif name in RESHAPES:
            if reshape_keeps_last_axis(eqn) and given[0] is not None and out[0] is not None:
                given[0].merge(out[0])
        elif name in ("split", "slice", "concatenate", "pad"):
            for whole, offset, part in _divided(eqn, given, out):
                self.part(whole, offset, part)
        else:
            raise Unsupported(f"'{name}'")
        return out


def inner_jaxpr(eqn: JaxprEqn) -> Jaxpr | None:
    """The function that an equation calls, or nothing.

    Of a function with derivatives of its own it is the function alone: the backward pass was traced with them.
    """
    if eqn.primitive.name not in CALLS:
        return None
    inner = eqn.params.get("jaxpr", eqn.params.get("call_jaxpr"))
    if getattr(inner, "consts", ()):
        raise Unsupported(f"'{eqn.primitive.name}' with constants")
    return getattr(inner, "jaxpr", inner)


def shape(var: Any) -> tuple[int, ...]:
    """The shape of a variable of a traced function."""
    return var.aval.shape


def new_axis(var: Any) -> Axis | None:
    """An axis of its own for an array; none for a scalar."""
    return Axis(shape(var)[-1]) if shape(var) else None


def last_axis(eqn: JaxprEqn) -> int:
    """The number of the last axis of an equation's first operand."""
    return len(shape(eqn.invars[0])) - 1


def keeps_last_axis(eqn: JaxprEqn) -> bool:
    """Whether a broadcast leaves the last axis where and as it is."""
    before, after, dimensions = shape(eqn.invars[0]), eqn.params["shape"], eqn.params["broadcast_dimensions"]
    return bool(before) and bool(dimensions[-1] == len(after) - 1) and bool(before[-1] == after[-1])


def reshape_keeps_last_axis(eqn: JaxprEqn) -> bool:
    """Whether a reshape leaves the last axis as it is.

    Raises :class:`Unsupported` unless all that it adds or takes away are axes of size 1.
    """
    before, after = shape(eqn.invars[0]), shape(eqn.outvars[0])
    if [n for n in before if n != 1] != [n for n in after if n != 1]:
        raise Unsupported(f"'{eqn.primitive.name}'")
    return bool(before) and bool(after) and bool(before[-1] == after[-1])


def offsets(sizes: Sequence[int]) -> list[int]:
    """Where each of several blocks begins."""
    return [sum(sizes[:i]) for i in range(len(sizes))]


def _divided(
    eqn: JaxprEqn, given: Sequence[Axis | None], out: Sequence[Axis | None]
) -> Iterator[tuple[Axis | None, int, Axis | None]]:
    """Whole, offset and part of every division of the last axis; raises :class:`Unsupported` for other axes."""
    name, last, params = eqn.primitive.name, last_axis(eqn), eqn.params
    if name == "split" and params["axis"] == last:
        yield from zip([given[0]] * len(out), offsets(split_sizes(eqn)), out, strict=True)
    elif name == "concatenate" and params["dimension"] == last:
        yield from zip([out[0]] * len(given), offsets([shape(v)[-1] for v in eqn.invars]), given, strict=True)
    elif name == "slice" and sliced(eqn) is not None:
        yield given[0], sliced(eqn) or 0, out[0]
    elif name == "pad" and all(p == (0, 0, 0) for p in params["padding_config"][:-1]) and _pads(eqn):
        yield out[0], int(params["padding_config"][-1][0]), given[0]
    else:
        raise Unsupported(f"'{name}' of another axis than the last")


def _even(start: int, stop: int) -> int:
    """The size of blocks that are about equally large, so that none of a single unit is left over."""
    return -(-(stop - start) // -(-(stop - start) // LARGEST)) or 1


def split_sizes(eqn: JaxprEqn) -> list[int]:
    """The sizes into which an axis is split, which may be NumPy's integers."""
    return [int(n) for n in eqn.params["sizes"]]


def sliced(eqn: JaxprEqn) -> int | None:
    """Where a slice of the last axis begins; nothing if other axes are cut, or steps are left out."""
    starts, limits, strides = (eqn.params[k] for k in ("start_indices", "limit_indices", "strides"))
    whole = all(s == 0 and n == size for s, n, size in zip(starts, limits, shape(eqn.invars[0])[:-1], strict=False))
    return int(starts[-1]) if whole and (strides is None or set(strides) == {1}) else None


def _pads(eqn: JaxprEqn) -> bool:
    low, high, interior = eqn.params["padding_config"][-1]
    return low >= 0 and high >= 0 and interior == 0
