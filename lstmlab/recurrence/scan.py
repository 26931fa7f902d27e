"""The reference backend: ``jax.lax.scan`` and autodiff. Every other backend is tested against it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, PyTree

from lstmlab.arrays import Projected
from lstmlab.cells.forms import AnyForm
from lstmlab.cells.state import Gates, State
from lstmlab.recurrence.masks import StepMask, apply_reset, tree_where

S = TypeVar("S", bound=State)
Step = tuple[Projected, StepMask]
Body = Callable[[S, PyTree], tuple[S, PyTree]]
"""From the state and a step's inputs to the next state and what the step gives, as ``jax.lax.scan`` takes it."""


def advance(cell: AnyForm, state: S, z: Projected, step_mask: StepMask) -> tuple[S, tuple[Array, Gates]]:
    """One step under its masks: the new state, the output, and the gate activations."""
    before = apply_reset(step_mask.reset, state)
    after, gates = cell.step(before, z)
    output = tree_where(step_mask.mask, after.h, jnp.zeros_like(after.h))
    return tree_where(step_mask.mask, after, state), (output, gates)


def scan(
    cell: AnyForm,
    z: Projected,
    state: S,
    step_mask: StepMask,
    *,
    reverse: bool,
    collect: bool,
    chunk: int | None,
) -> tuple[S, Array, Gates | None]:
    """Run the cell over projected inputs ``z`` (time-major): final state, outputs, gate activations."""

    def body(state: S, step: Step) -> tuple[S, tuple[Array, Gates | None]]:
        state, (output, gates) = advance(cell, state, *step)
        return state, (output, gates if collect else None)

    final, (outputs, gates) = chunked_scan(body, state, (z, step_mask), reverse, chunk)
    return final, outputs, gates


def chunked_scan(body: Body[S], state: S, xs: PyTree, reverse: bool, chunk: int | None) -> tuple[S, PyTree]:
    """``lax.scan`` whose backward pass recomputes each chunk from the state at its border.

    With ``chunk`` ≈ √time, memory for the backward pass falls from O(time) to O(√time) states. Steps that do not
    fill a last chunk are run as a shorter one.
    """
    time = jax.tree.leaves(xs)[0].shape[0]
    if chunk is None or chunk >= time:
        return jax.lax.scan(body, state, xs, reverse=reverse)

    @jax.checkpoint
    def run_chunk(state: S, steps: PyTree) -> tuple[S, PyTree]:
        return jax.lax.scan(body, state, steps, reverse=reverse)

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
