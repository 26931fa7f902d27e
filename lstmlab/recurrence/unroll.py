"""Unrolling a cell over a sequence: one function, several backends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from lstmlab.arrays import Given, LengthsLike, MaskLike, TimeMajor, TimeMajorTree
from lstmlab.cells.forms import AnyForm, is_linear, is_matrix, is_pointwise
from lstmlab.cells.state import Gates
from lstmlab.cells.timed import Timed
from lstmlab.promotion import cast_numbers, parameter_type, standard_promotion
from lstmlab.recurrence.backends import Backend, resolve_backend
from lstmlab.recurrence.check import as_lengths, as_mask, as_state, as_times, check_inputs
from lstmlab.recurrence.chunkwise import chunkwise
from lstmlab.recurrence.devices import vary_alike
from lstmlab.recurrence.fused import fused
from lstmlab.recurrence.linear import linear
from lstmlab.recurrence.masks import StepMask, make_step_mask, tree_where, zeros_like
from lstmlab.recurrence.scan import scan


class Unrolled(NamedTuple):
    """Outputs of every step, the state after the last, and gate activations when asked for."""

    outputs: TimeMajor
    state: Any
    gates: Gates | None = None


@standard_promotion
def unroll(
    cell: AnyForm,
    xs: TimeMajorTree,
    state: Any = None,
    *,
    lengths: LengthsLike | None = None,
    resets: MaskLike | None = None,
    mask: MaskLike | None = None,
    times: Given | None = None,
    reverse: bool = False,
    backend: str | Backend = Backend.AUTO,
    chunk: int | None = None,
    collect_gates: bool = False,
) -> Unrolled:
    """Run a cell over a batch of sequences.

    Args:
        cell: a :class:`lstmlab.cells.Cell`, or anything that offers what its form asks for, see
            :mod:`lstmlab.cells.forms`.
        xs: inputs ``[time, batch, *spatial, features]``.
        state: state before the first step (after the last one when ``reverse``); zero if not given.
        lengths: valid steps per sequence ``[batch]``. Later steps leave the state alone and give zero outputs.
        resets: ``True`` at the first step of a new segment ``[time, batch]``, where the state starts at zero again.
            With ``reverse`` a reset at the first step has no effect.
        mask: ``False`` at steps ``[time, batch]`` that leave the state alone and give zero outputs, wherever they are:
            padding before a sequence, or holes in it. With ``lengths``, both must allow a step.
        times: the time of each step ``[time, batch]``, for cells with a clock (``clock_field``), which else counts
            steps; other cells leave them aside. Computed in the type of the parameters, for most float32: count from
            near the sequence's beginning.
        reverse: run from the last valid step to the first. Outputs stay aligned with inputs.
        backend: ``auto``, ``scan``, ``fused``, ``associative`` or ``chunkwise``, or one with kernels for GPUs:
            ``pallas``, or ``cudnn`` for cell ``lstm``. Only ``scan`` supports forward-mode differentiation
            (``jax.jvp``, Hessian-vector products): the others but ``chunkwise`` have backward passes of their own.
        chunk: recompute the backward pass in chunks of this many steps; about √time saves most memory.
            Rematerialisation belongs to autodiff, so it runs on the ``scan`` backend.
        collect_gates: also return every named gate's activations ``[time, batch, ...]`` (backend ``scan``).

    Returns:
        Outputs ``[time, batch, *spatial, hidden]``, the final state, and gate activations or ``None``. Outputs and
        states have the widest type of the cell's parameters, and float32 at least, whatever the types of ``xs`` and
        ``state``.

    Raises:
        ValueError: if the backend cannot serve what is asked; for inputs, a state, lengths, masks or times of another
            shape.
        TypeError: for inputs, times or a state that hold no real numbers, lengths that are no integers, masks that are
            not of type bool.
    """
    if chunk is not None and chunk < 1:
        raise ValueError(f"chunk is {chunk}, but must be at least 1 step")
    if chunk is not None or collect_gates:
        if backend != Backend.AUTO and resolve_backend(cell, backend) is not Backend.SCAN:
            raise ValueError(f"backend '{backend}' neither recomputes in chunks nor collects gates: use 'scan'")
        backend = Backend.SCAN
    backend = resolve_backend(cell, backend)
    if backend is Backend.CUDNN and not (resets is None and mask is None):
        raise ValueError("backend 'cudnn' knows lengths, but neither resets nor masks: use 'auto'")
    time, batch = check_inputs(cell, xs)
    dtype = parameter_type(cell)
    if times is not None:
        times = as_times(times, time, batch).astype(dtype)
        if getattr(cell, "clock_field", None) is not None:
            cell, xs = Timed(cell), (xs, times[..., None])
    step_mask = make_step_mask(
        time,
        as_lengths(lengths, time, batch),
        as_mask("resets", resets, (time, batch), "time and batch"),
        as_mask("mask", mask, (time, batch), "time and batch"),
        reverse,
    )
    cell, xs = cast_numbers((cell, jax.tree.map(jnp.asarray, xs)), dtype)
    state = as_state(cell, state, batch, dtype)
    cell, xs, state, step_mask = vary_alike((cell, xs, state, step_mask))
    if step_mask.mask is not None:
        # Whatever fills the padding, NaN included, must not reach a product: its gradient would be NaN.
        xs = jax.vmap(tree_where)(step_mask.mask, xs, zeros_like(xs))
    if time == 0 or (batch == 0 and backend in (Backend.PALLAS, Backend.CUDNN)):
        backend = Backend.SCAN  # nothing to solve or to save
    return _run(cell.prepared(), xs, state, step_mask, backend, reverse, chunk, collect_gates)


def _run(
    cell: AnyForm,
    xs: TimeMajorTree,
    state: Any,
    step_mask: StepMask,
    backend: Backend,
    reverse: bool,
    chunk: int | None,
    collect_gates: bool,
) -> Unrolled:
    """What :func:`unroll` returns, from checked arguments."""
    if backend is Backend.SCAN:
        z = cell.project(xs)
        final, outputs, gates = scan(cell, z, state, step_mask, reverse=reverse, collect=collect_gates, chunk=chunk)
        return Unrolled(outputs, final, gates)
    if is_linear(cell):
        parallel = backend is Backend.ASSOCIATIVE
        final, outputs = linear(cell, cell.project(xs), state, step_mask, reverse=reverse, parallel=parallel)
    elif is_matrix(cell):
        final, outputs = chunkwise(cell, cell.project(xs), state, step_mask, reverse=reverse)
    else:
        assert is_pointwise(cell)  # what else resolve_backend lets through
        run = _kernels(backend) or fused
        final, outputs = run(cell, xs, state, step_mask, reverse=reverse)
    return Unrolled(outputs, final)


def _kernels(backend: Backend) -> Callable[..., Any] | None:
    """The function that runs a cell in kernels for GPUs, imported when it is asked for; ``None`` for other backends."""
    if backend is Backend.PALLAS:
        from lstmlab.recurrence.pallas import pallas

        return pallas
    if backend is Backend.CUDNN:
        from lstmlab.recurrence.cudnn import cudnn

        return cudnn
    return None
