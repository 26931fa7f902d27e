"""One chunk of training: the steps between two rows of metrics, and the validation that is due after them.

A single run and a batch of members under ``vmap`` take the same two steps; with ``size`` everything has a leading axis
of that many members.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import numpy as np

from lstmlab.config import Member
from lstmlab.config.schema import TrainingConfig
from lstmlab.training.compiled import CompiledRun
from lstmlab.training.functions import RunState, StepLog
from lstmlab.training.stream import ResidentSplit, Stream
from lstmlab.training.timer import Seconds, Timer


class Chunk(NamedTuple):
    """What a run has done since its last row of metrics; arrays are on the host."""

    step: int
    """optimiser steps since the run began"""
    count: int
    """optimiser steps of this chunk"""
    log: StepLog
    seconds: Seconds
    validation: dict[str, Any] | None = None
    """metrics on the validation split, where a validation was due"""
    best_step: Any = None
    """the step of the best validation so far, where one was due"""
    position: dict[str, Any] | None = None
    """of the stream, where batches are streamed"""
    members: int = 1
    """how many runs shared the compiled call"""

    @property
    def finite(self) -> np.ndarray:
        """Per step whether loss and gradient are finite."""
        return np.isfinite(self.log.loss) & np.isfinite(self.log.gradient_norm)


def advance(
    compiled: CompiledRun,
    values: Member,
    state: RunState,
    data: ResidentSplit | Stream,
    step: int,
    timer: Timer,
    size: int | None = None,
) -> tuple[RunState, Chunk]:
    """Train until the next row of metrics is due, in one compiled call; the given state is used up."""
    training = compiled.config.training
    count = min(training.log_every, training.steps - step)
    with timer("train" if data.started else "compile"):
        batches = jax.block_until_ready(data.take())
    state, log = compiled.advance(values, state, batches, count, timer, size)
    return state, Chunk(step + count, count, jax.device_get(log), timer.lap(), position=data.position)


def validation_due(training: TrainingConfig, step: int) -> bool:
    """Whether the run is validated after this step."""
    return step % training.eval_every == 0 or step == training.steps


def validate(
    compiled: CompiledRun,
    values: Member,
    state: RunState,
    chunk: Chunk,
    timer: Timer,
    device: Any = None,
    size: int | None = None,
) -> tuple[RunState, Chunk]:
    """Evaluate on the validation split, keep the best model, and note both in the chunk."""
    state, metrics = compiled.validate(values, state, compiled.data("validation", device), timer, size)
    metrics, best_step = jax.device_get((metrics, state.best_step))
    seconds = {activity: chunk.seconds[activity] + more for activity, more in timer.lap().items()}
    return state, chunk._replace(validation=metrics, best_step=best_step, seconds=seconds)
