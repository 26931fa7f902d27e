"""Masks of a recurrence, step by step: masked steps carry the state through, resets start it afresh."""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, Shaped

from lstmlab.arrays import RowMask, TimeMajorMask
from lstmlab.cells.state import State

T = TypeVar("T")
S = TypeVar("S", bound=State)


class StepMask(NamedTuple):
    """Which sequences take part in each step (``mask``), and which start afresh before it (``reset``).

    ``None``: all take part, none starts afresh. Inside a loop over time, one step's ``[batch]``.
    """

    mask: TimeMajorMask | RowMask | None = None
    reset: TimeMajorMask | RowMask | None = None


def make_step_mask(
    time: int,
    lengths: Int[Array, " batch"] | None,
    resets: TimeMajorMask | None,
    valid: TimeMajorMask | None,
    reverse: bool,
) -> StepMask:
    """The masks of ``time`` steps; with both lengths and ``valid``, steps take part that both allow.

    A reset marks the first step of a segment. Walking backwards a segment is entered at its last step, so the
    fresh start moves to the step before the next segment's first. Steps that take no part are passed over: a segment
    that begins with some is entered at the first step after them.
    """
    mask = valid
    if lengths is not None:
        within = jnp.arange(time)[:, None] < lengths[None, :]
        mask = within if mask is None else mask & within
    if resets is None or mask is None:
        if resets is not None and reverse:
            resets = jnp.concatenate([resets[1:], jnp.zeros_like(resets[:1])])
        return StepMask(mask, resets)
    return StepMask(mask, _entered(resets, mask, reverse))


def _entered(resets: TimeMajorMask, mask: TimeMajorMask, reverse: bool) -> TimeMajorMask:
    """Whether a step that takes part is in another segment than the one walked through before it."""
    segment = jnp.cumsum(resets.astype(jnp.int32), axis=0)
    if reverse:
        none = jnp.iinfo(jnp.int32).max
        later = jax.lax.cummin(jnp.where(mask, segment, none), axis=0, reverse=True)
        later = jnp.concatenate([later[1:], jnp.full_like(later[:1], none)])
        return mask & (segment < later) & (later != none)
    earlier = jax.lax.cummax(jnp.where(mask, segment, 0), axis=0)
    return mask & (segment > jnp.concatenate([jnp.zeros_like(earlier[:1]), earlier[:-1]]))


def tree_where(mask: RowMask | None, yes: T, no: T) -> T:
    """``yes`` where the mask holds, else ``no``, per sequence; ``yes`` everywhere without a mask."""
    if mask is None:
        return yes

    def where(a: Array, b: Array) -> Array:
        return jnp.where(mask.reshape(mask.shape + (1,) * (a.ndim - 1)), a, b)

    return jax.tree.map(where, yes, no)


def where_steps(
    mask: TimeMajorMask, yes: Shaped[Array, "time batch *features"], no: Shaped[Array, "time batch *features"]
) -> Shaped[Array, "time batch *features"]:
    """``yes`` at the steps and sequences where the mask holds, else ``no``."""
    return jnp.where(mask.reshape(mask.shape + (1,) * (yes.ndim - 2)), yes, no)


def zero_padding(
    outputs: Shaped[Array, "time batch *features"], step_mask: StepMask
) -> Shaped[Array, "time batch *features"]:
    """Outputs of all steps, zero on padded ones."""
    return outputs if step_mask.mask is None else where_steps(step_mask.mask, outputs, jnp.zeros_like(outputs))


def zeros_like(tree: T) -> T:
    """A tree of zeros of the same shapes."""
    return jax.tree.map(jnp.zeros_like, tree)


def apply_reset(reset: RowMask | None, state: S) -> S:
    """The state before a step: zero where a segment starts."""
    return state if reset is None else tree_where(reset, zeros_like(state), state)


def states_before(state: S, after: S, step_mask: StepMask, reverse: bool) -> S:
    """The states that all steps started from, rebuilt from those that they ended with."""

    def shift(first: Array, later: Array) -> Array:
        parts = [later[1:], first[None]] if reverse else [first[None], later[:-1]]
        return jnp.concatenate(parts)

    before = jax.tree.map(shift, state, after)
    return before if step_mask.reset is None else jax.vmap(apply_reset)(step_mask.reset, before)
