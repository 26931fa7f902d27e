"""Per-step switches of a recurrence: padding carries the state through, resets start a fresh one."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int

S = TypeVar("S")


class Switches(NamedTuple):
    """Which sequences take part in each step (``valid``), and which start afresh before it (``fresh``)."""

    valid: Bool[Array, "time batch"] | None = None
    fresh: Bool[Array, "time batch"] | None = None


def make_switches(
    time: int,
    lengths: Int[Array, " batch"] | None,
    resets: Bool[Array, "time batch"] | None,
    reverse: bool,
) -> Switches:
    """Switches for ``time`` steps.

    A reset marks the first step of a segment. Walking backwards a segment is entered at its last step, so the
    fresh start moves to the step before the next segment's first.
    """
    valid = None if lengths is None else jnp.arange(time)[:, None] < lengths[None, :]
    if resets is not None and valid is not None:
        resets = resets & valid  # backwards, one in the padding would move onto the last valid step
    if resets is not None and reverse:
        resets = jnp.concatenate([resets[1:], jnp.zeros_like(resets[:1])])
    return Switches(valid, resets)


def choose(mask: Bool[Array, " batch"] | None, yes: S, no: S) -> S:
    """``yes`` where the mask holds, else ``no``, per sequence; ``yes`` everywhere without a mask."""
    if mask is None:
        return yes

    def pick(a: Array, b: Array) -> Array:
        return jnp.where(mask.reshape(mask.shape + (1,) * (a.ndim - 1)), a, b)

    return jax.tree.map(pick, yes, no)


def zeros_like(tree: Any) -> Any:
    """A tree of zeros of the same shapes."""
    return jax.tree.map(jnp.zeros_like, tree)


def refresh(fresh: Bool[Array, " batch"] | None, state: S) -> S:
    """The state before a step: zero where a segment starts."""
    return state if fresh is None else choose(fresh, zeros_like(state), state)
