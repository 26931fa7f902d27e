"""A model's run over a batch, with everything that its cells went through, and gradients of a loss at their states."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool

from lstmlab.cells.maps import rebuilt
from lstmlab.cells.probe import Probed, Report
from lstmlab.explain.gradients import step_norms, zero_shifts
from lstmlab.explain.trajectory import Trajectory
from lstmlab.models import RecurrentModel
from lstmlab.models.encoder_decoder import EncoderDecoder
from lstmlab.models.inputs import embed_inputs
from lstmlab.models.layer import UnrollOptions
from lstmlab.models.stack import Stack
from lstmlab.promotion import standard_promotion
from lstmlab.tasks import Batch, Task

Shifts = list[dict[str, Array]]
"""per layer, what is added to its cell's states"""


class Recorded(NamedTuple):
    """What the forward cell of one layer went through."""

    cell: Any
    path: Trajectory
    valid: Bool[Array, "time batch"]
    """false in the padding"""


def stack_of(model: RecurrentModel) -> Stack:
    """The layers that read the inputs: of an encoder-decoder the encoder's."""
    return model.encoder if isinstance(model, EncoderDecoder) else model.layers


def input_lengths(model: RecurrentModel, batch: Batch) -> Array:
    """Valid steps of every sequence that the layers read, ``[batch]``."""
    if isinstance(model, EncoderDecoder):
        return jnp.sum(jnp.asarray(batch.inputs.source) != model.inputs.pad, axis=1)
    rows, steps = jax.tree.leaves(batch.inputs)[0].shape[:2]
    return jnp.full(rows, steps) if batch.lengths is None else jnp.asarray(batch.lengths)


@jax.jit
@standard_promotion
def record(model: RecurrentModel, batch: Batch) -> list[Recorded]:
    """Run a model without dropout and zoneout, and keep what the forward cell of each layer went through."""
    lengths = input_lengths(model, batch)
    probed = with_probes(model, [None] * len(stack_of(model)))
    if isinstance(probed, EncoderDecoder):
        # Its call collects no gates.
        xs = embed_inputs(jnp.asarray(batch.inputs.source), probed.source_embedding, None, spatial=())
        options = UnrollOptions("scan", None, lengths, collect_gates=True)
        gates: Any = probed.encoder(xs, None, options, None).gates
    else:
        out = probed(batch.inputs, lengths=batch.lengths, resets=batch.resets, collect_gates=True)
        gates = out.gates
    probes: list[Any] = [layer.forward for layer in stack_of(probed)]
    return [
        _recorded(probe.cell, probe.report(gates[index][0]), lengths, batch.resets)
        for index, probe in enumerate(probes)
    ]


def _recorded(cell: Any, report: Report, lengths: Array, resets: Array | None) -> Recorded:
    steps, rows = report.state.h.shape[:2]
    start = jax.tree.map(lambda a, like: a.astype(like.dtype), cell.initial_state(rows), report.state)
    before = jax.tree.map(lambda first, after: jnp.concatenate([first[None], after[:-1]]), start, report.state)
    if resets is not None:
        fresh = jnp.asarray(resets).T[:steps]
        before = jax.tree.map(
            lambda first, state: jnp.where(fresh.reshape(*fresh.shape, *(1,) * (state.ndim - 2)), first, state),
            start, before,
        )  # fmt: skip
    valid = jnp.arange(steps)[:, None] < lengths
    return Recorded(cell, Trajectory(before, report.state, report.z, report.gates), valid)


@jax.jit
@standard_promotion
def run_model(model: RecurrentModel, batch: Batch) -> Array:
    """Outputs for a batch, without dropout and zoneout."""
    return _outputs(model, batch)


def _outputs(model: RecurrentModel, batch: Batch) -> Array:
    # An encoder-decoder finds the lengths itself, by the padding.
    how: dict[str, Any] = (
        {} if isinstance(model, EncoderDecoder) else {"lengths": batch.lengths, "resets": batch.resets}
    )
    return model(batch.inputs, **how).outputs


def with_probes(model: RecurrentModel, shifts: Sequence[dict[str, Array] | None]) -> RecurrentModel:
    """A copy of the model whose forward cells are probed, each with its shifts."""
    copied = rebuilt(model)
    copied.backend = "scan"
    for layer, given in zip(stack_of(copied), shifts, strict=True):
        layer.forward = Probed(layer.forward, given)  # type: ignore[assignment] - it acts as the cell does
    return copied


def state_gradients(model: RecurrentModel, batch: Batch, task: Task, *, last_step: bool) -> list[dict[str, Array]]:
    """Per layer and field of the state, norms of the gradient of each sequence's loss, ``[time, batch]``.

    The loss of a sequence is the task's loss, times the number of sequences since that is a mean over them. With
    ``last_step`` only the part that comes from the output at the last valid step is differentiated.
    """
    rows, steps = batch.targets.shape[0], read_steps(model, batch)
    shifts = [zero_shifts(layer.forward, steps, rows) for layer in stack_of(model)]
    return _state_gradients(model, batch, shifts, task, last_step)


@partial(jax.jit, static_argnames=("task", "last_step"))
@standard_promotion
def _state_gradients(
    model: RecurrentModel, batch: Batch, shifts: Shifts, task: Task, last_step: bool
) -> list[dict[str, Array]]:
    lengths = input_lengths(model, batch)

    def total(shifts: Shifts) -> Array:
        outputs = _outputs(with_probes(model, shifts), batch)
        if last_step:
            last = jnp.arange(outputs.shape[1]) == lengths[:, None] - 1
            last = last.reshape(*last.shape, *(1,) * (outputs.ndim - 2))
            outputs = jnp.where(last, outputs, jax.lax.stop_gradient(outputs))
        return task.loss(outputs, batch) * outputs.shape[0]

    return [{name: step_norms(g) for name, g in layer.items()} for layer in jax.grad(total)(shifts)]


def read_steps(model: RecurrentModel, batch: Batch) -> int:
    """Steps that the layers read: of a recursive forecaster those of its window."""
    shapes = jax.eval_shape(record, model, batch)
    return shapes[0].valid.shape[0]
