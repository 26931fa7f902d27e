"""Kernels that hold the whole loop over time: one for the forward, one for the backward pass.

Each program of the grid runs all steps for one tile of sequences; its state never leaves the chip.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from lstmlab.recurrence.masks import StepMask
from lstmlab.recurrence.pallas.layout import Layout, map_blocks
from lstmlab.recurrence.pallas.product import Weights, load_product
from lstmlab.recurrence.pallas.update import Update
from lstmlab.recurrence.pallas.values import Blocks

ALL = slice(None)


class Fixed(NamedTuple):
    """What a kernel reads once, as it lies in memory (see :class:`lstmlab.recurrence.pallas.layout.Layout`)."""

    weights: Weights
    params: list[Any]
    """``[features]``"""
    constants: list[Any]
    """``[features]``"""
    start: list[Any]
    """``[batch, features]``: the state before the loop, of the backward pass the cotangent of the state after it"""


class Steps(NamedTuple):
    """What a kernel reads at every step, ``[time, batch, features]``; the forward pass has masks and ``z`` alone."""

    masks: StepMask
    z: list[Any]
    before: list[Any]
    r: Any
    d_output: Any


class Results(NamedTuple):
    """What a kernel writes; of the forward pass the states after every step and perhaps ``r``, of the backward pass
    cotangents."""

    state: list[Any]
    """forward ``[time, batch, features]``, backward ``[batch, features]``"""
    r: Any
    z: list[Any]
    params: list[Any]
    """``[1, features]``: each tile of sequences has a sum of its own"""


class Kind(NamedTuple):
    """Which loop a kernel runs."""

    update: Update
    h: int
    """the number of ``h`` among the leaves of the state"""
    additive: bool
    time: int
    backwards: bool
    """whether the loop runs from the last step to the first"""

    def step(self, i: Any) -> Any:
        """The number of the step that is done as the ``i``-th."""
        return self.time - 1 - i if self.backwards else i


def forward_kernel(kind: Kind, fixed: Fixed, steps: Steps, results: Results) -> None:
    """All steps. The recurrent products ``r`` (of an additive cell ``z + r``) are written if there is a place for
    them."""
    update, h = kind.update, kind.h
    product = load_product(fixed.weights, update.state[h], update.r)
    params = _read(update.params, fixed.params)
    constants = _read(update.forward.constants, fixed.constants)

    def body(i: Any, state: list[Any]) -> list[Any]:
        t = kind.step(i)
        mask, reset = _masks(steps.masks, t)
        before = _fresh(reset, state)
        z = _read(update.z, steps.z, t, ALL)
        r = product(before[h])
        after = _settled(update.state, update.forward(constants, *params, *before, *z, r))
        after = _where(mask, after, state)
        _write(update.state, results.state, after, t, ALL)
        if results.r is not None:
            update.r.write(results.r, map_blocks(jnp.add, z[0], r) if kind.additive else r, t, ALL)
        return after

    jax.lax.fori_loop(0, kind.time, body, _read(update.state, fixed.start, ALL))


def backward_kernel(kind: Kind, fixed: Fixed, steps: Steps, results: Results) -> None:
    """The reverse loop of :mod:`lstmlab.recurrence.fused`: the gradient of the map is left to one product after it."""
    update, h = kind.update, kind.h
    product = load_product(fixed.weights, update.state[h], update.r)
    params = _read(update.params, fixed.params)
    constants = _read(update.backward.constants, fixed.constants)
    n_params, n_state = len(update.d_params), len(update.state)

    def body(i: Any, carry: tuple[list[Any], list[Any]]) -> tuple[list[Any], list[Any]]:
        d_after, d_params = carry
        t = kind.step(i)
        mask, reset = _masks(steps.masks, t)
        before, r = _read(update.state, steps.before, t, ALL), update.r.read(steps.r, t, ALL)
        z = [r] if kind.additive else _read(update.z, steps.z, t, ALL)
        d_new = list(d_after)
        d_new[h] = map_blocks(jnp.add, d_new[h], update.state[h].read(steps.d_output, t, ALL))
        # A padded step passed its state through and gave no output: its cotangent passes through as well.
        d_new = _where(mask, d_new, _zeros_like(d_new))
        found = update.backward(constants, *params, *before, *z, r, *d_new)
        d_step = _settled(update.d_params, found[:n_params])
        d_before = _settled(update.state, found[n_params : n_params + n_state])
        d_z, d_r = found[n_params + n_state : -1], update.r.settled(found[-1])
        d_before[h] = map_blocks(jnp.add, d_before[h], product.transposed(d_r))
        d_before = _fresh(reset, d_before)
        update.r.write(results.r, d_r, t, ALL)
        _write(update.d_z, results.z, d_z, t, ALL)
        return _where(mask, d_before, d_after), [
            map_blocks(jnp.add, a, b) for a, b in zip(d_params, d_step, strict=True)
        ]

    places = zip(update.d_params, results.params, strict=True)
    zeros = [_zeros(layout, ref.dtype) for layout, ref in places]
    d_start = _read(update.state, fixed.start, ALL)
    d_state, d_params = jax.lax.fori_loop(0, kind.time, body, (d_start, zeros))
    _write(update.state, results.state, d_state, ALL)
    _write(update.d_params, results.params, d_params, 0)


def _read(layouts: Sequence[Layout], refs: Sequence[Any], *index: Any) -> list[Any]:
    return [layout.read(ref, *index) for layout, ref in zip(layouts, refs, strict=True)]


def _write(layouts: Sequence[Layout], refs: Sequence[Any], values: Sequence[Any], *index: Any) -> None:
    for layout, ref, value in zip(layouts, refs, values, strict=True):
        layout.write(ref, value, *index)


def _settled(layouts: Sequence[Layout], values: Sequence[Any]) -> list[Any]:
    return [layout.settled(value) for layout, value in zip(layouts, values, strict=True)]


def _zeros(layout: Layout, dtype: Any) -> Any:
    if not layout.sizes:
        return jnp.zeros((), dtype)
    return Blocks(layout.sizes, tuple(jnp.zeros(stop - start, dtype) for start, stop in layout.places))


def _zeros_like(values: Sequence[Any]) -> list[Any]:
    return [map_blocks(jnp.zeros_like, value) for value in values]


def _masks(masks: StepMask, t: Any) -> StepMask:
    """The masks of one step, ``[tile]``."""
    return StepMask(*(None if ref is None else ref[t, :] for ref in masks))


def _where(mask: Any, yes: Sequence[Any], no: Sequence[Any]) -> list[Any]:
    """``yes`` where the mask holds, else ``no``, per sequence; ``yes`` everywhere without a mask."""
    if mask is None:
        return list(yes)
    column = jnp.expand_dims(mask, 1)
    return [map_blocks(lambda a, b: jnp.where(column, a, b), a, b) for a, b in zip(yes, no, strict=True)]


def _fresh(reset: Any, values: Sequence[Any]) -> list[Any]:
    """The values, zero where a segment starts."""
    return list(values) if reset is None else _where(reset, _zeros_like(values), values)
