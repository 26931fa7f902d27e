"""Arrays in memory whose blocks are padded, and reading and writing them in a kernel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp

from lstmlab.recurrence.pallas.cuts import offsets
from lstmlab.recurrence.pallas.values import Blocks, padded


class Layout(NamedTuple):
    """How the features of an array lie in memory: block after block, each padded. Without sizes: a scalar."""

    sizes: tuple[int, ...]

    @property
    def places(self) -> list[tuple[int, int]]:
        """Where each block begins and ends in memory."""
        sizes = [padded(n) for n in self.sizes]
        return [(o, o + n) for o, n in zip(offsets(sizes), sizes, strict=True)]

    @property
    def width(self) -> int:
        """Features in memory."""
        return self.places[-1][1] if self.sizes else 1

    def pack(self, array: Any, axis: int = -1, mode: str = "constant") -> Any:
        """The array as it lies in memory; nothing is copied where no block needs padding. A scalar gets an axis."""
        if not self.sizes:
            return array[None]
        if self.width == array.shape[axis]:
            return array
        axis %= array.ndim
        parts = []
        for start, size in zip(offsets(self.sizes), self.sizes, strict=True):
            index = (slice(None),) * axis + (slice(start, start + size),)
            pads = [(0, padded(size) - size if i == axis else 0) for i in range(array.ndim)]
            parts.append(jnp.pad(array[index], pads, mode=mode))
        return jnp.concatenate(parts, axis)

    def unpack(self, array: Any) -> Any:
        """The array without its padding."""
        if not self.sizes:
            return array[..., 0]
        if self.width == sum(self.sizes):
            return array
        places = zip(self.places, self.sizes, strict=True)
        return jnp.concatenate([array[..., start : start + size] for (start, _), size in places], -1)

    def read(self, ref: Any, *index: Any) -> Any:
        """The blocks of an array of a kernel, at an index of its leading axes; a scalar as it is."""
        if not self.sizes:
            return ref[(*index, 0)]
        return Blocks(self.sizes, tuple(ref[(*index, slice(*place))] for place in self.places))

    def write(self, ref: Any, value: Any, *index: Any) -> None:
        """Store a value at an index of the leading axes."""
        if not self.sizes:
            ref[(*index, 0)] = value
            return
        for place, part in zip(self.places, value.cut(self.sizes), strict=True):
            where = (*index, slice(*place))
            ref[where] = jnp.broadcast_to(part, (*part.shape[:-1], place[1] - place[0]))

    def settled(self, value: Any) -> Any:
        """The value cut and padded as in memory: what a loop carries has one shape."""
        if not self.sizes:
            return value
        parts = zip(value.cut(self.sizes), self.places, strict=True)
        return Blocks(
            self.sizes, tuple(jnp.broadcast_to(p, (*p.shape[:-1], stop - start)) for p, (start, stop) in parts)
        )


def map_blocks(function: Callable[..., Any], *values: Any) -> Any:
    """A function of arrays, applied block by block to values of one layout."""
    if not isinstance(values[0], Blocks):
        return function(*values)
    sizes = values[0].sizes
    return Blocks(sizes, tuple(function(*parts) for parts in zip(*(v.cut(sizes) for v in values), strict=True)))
