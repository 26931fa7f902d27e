"""The reference backend: ``jax.lax.scan`` and autodiff. Every other backend is tested against it."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from lstmlab.recurrence.masks import Switches, choose, refresh, zeros_like


def advance(cell: Any, state: Any, z: Any, switch: Switches) -> tuple[Any, tuple[Any, Any]]:
    """One step with its switches: the new state, and what the step shows (output, gate activations)."""
    before = refresh(switch.fresh, state)
    after, gates = cell.step(before, z)
    output = choose(switch.valid, after.h, zeros_like(after.h))
    return choose(switch.valid, after, state), (output, gates)


def scan(
    cell: Any,
    z: Any,
    state: Any,
    switches: Switches,
    *,
    reverse: bool,
    collect: bool,
    chunk: int | None,
) -> tuple[Any, Any, Any]:
    """Run the cell over projected inputs ``z`` (time-major): final state, outputs, gate activations."""

    def body(state: Any, step: tuple[Any, Switches]) -> tuple[Any, tuple[Any, Any]]:
        state, (output, gates) = advance(cell, state, *step)
        return state, (output, gates if collect else None)

    final, (outputs, gates) = chunked_scan(body, state, (z, switches), reverse, chunk)
    return final, outputs, gates


def chunked_scan(body: Any, state: Any, xs: Any, reverse: bool, chunk: int | None) -> Any:
    """``lax.scan`` whose backward pass recomputes each chunk from the state at its border.

    With ``chunk`` ≈ √time, memory for the backward pass falls from O(time) to O(√time) states. Steps that do not
    fill a last chunk are run as a shorter one.
    """
    time = jax.tree.leaves(xs)[0].shape[0]
    if chunk is None or chunk >= time:
        return jax.lax.scan(body, state, xs, reverse=reverse)

    @jax.checkpoint
    def run_chunk(state: Any, part: Any) -> Any:
        return jax.lax.scan(body, state, part, reverse=reverse)

    whole = time - time % chunk
    head = jax.tree.map(lambda a: a[:whole].reshape(-1, chunk, *a.shape[1:]), xs)
    tail = jax.tree.map(lambda a: a[whole:], xs)
    has_tail = whole < time
    if reverse and has_tail:
        state, tail_ys = run_chunk(state, tail)
    state, ys = jax.lax.scan(run_chunk, state, head, reverse=reverse)
    ys = jax.tree.map(lambda a: a.reshape(-1, *a.shape[2:]), ys)
    if not has_tail:
        return state, ys
    if not reverse:
        state, tail_ys = run_chunk(state, tail)
    return state, jax.tree.map(lambda a, b: jnp.concatenate([a, b]), ys, tail_ys)
