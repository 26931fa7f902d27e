"""Inside ``jax.shard_map``: which mesh axes the values of a recurrence vary over."""

from __future__ import annotations

from typing import TypeVar

import jax
from jaxtyping import Array

T = TypeVar("T")


def vary_alike(tree: T) -> T:
    """The tree, where every array varies over all mesh axes over which any of them does.

    A loop needs a carry that varies over the same axes before and after a step: zeros of a first state vary over none,
    the step's inputs over some. Parameters become varying here too, so that their gradients are summed over the devices
    once and not at every step. Outside ``shard_map`` nothing changes.
    """
    axes = frozenset[str]().union(*(_axes(leaf) for leaf in jax.tree.leaves(tree)))
    if not axes:
        return tree

    def varying(leaf: Array) -> Array:
        missing = tuple(sorted(axes - _axes(leaf))) if hasattr(leaf, "dtype") else ()
        return jax.lax.pcast(leaf, missing, to="varying") if missing else leaf

    return jax.tree.map(varying, tree)


def _axes(leaf: Array) -> frozenset[str]:
    """The mesh axes over which one array varies: none outside ``shard_map``, or without its checks."""
    if not hasattr(leaf, "dtype"):
        return frozenset()
    kind = jax.typeof(leaf)
    # The type has them by itself in some releases of JAX, in a part of it in others.
    manual = getattr(kind, "manual_axis_type", None)
    return frozenset(getattr(kind, "vma", ()) if manual is None else manual.varying)
