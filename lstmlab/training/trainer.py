"""The steps of one run, or of several runs mapped by ``vmap``, on their device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jaxtyping import PyTree

from lstmlab.arrays import Step
from lstmlab.config import Member
from lstmlab.config.schema import TrainingConfig
from lstmlab.training import functions
from lstmlab.training.chunk import Chunk
from lstmlab.training.compiled import CompiledRun
from lstmlab.training.devices import Placement
from lstmlab.training.functions import RunState
from lstmlab.training.stream import ResidentSplit, Stream
from lstmlab.training.timer import Activity, Seconds, Timer


class Trainer:
    """Calls the compiled functions of a run and brings their results to the host.

    Args:
        compiled: the compiled functions, which other trainers may share.
        values: the run's traced values. With ``size`` these, and all states and results, have a leading axis of that
            many members.
        step: optimiser steps done before, when the run is resumed.
        position: data-stream position saved in the checkpoint, if any.
        device: where the run is computed; ``None``: the default device, or those of ``training.devices``.
    """

    def __init__(
        self,
        compiled: CompiledRun,
        values: Member,
        step: int = 0,
        position: dict[str, Any] | None = None,
        *,
        size: int | None = None,
        device: Placement = None,
    ) -> None:
        self.compiled, self.step, self.size = compiled, step, size
        self.device = compiled.placement or device
        self.training: TrainingConfig = compiled.config.training
        self.values = jax.device_put(values, self.device)
        self.timer = Timer()
        self._data: ResidentSplit | Stream = compiled.training_data(values, step, position, self.device)

    def start(self, restored: RunState | None) -> RunState:
        """The state before the first step, or a restored one on the device."""
        if restored is None:
            return self._call("compile", functions.init)
        with self.timer("compile"):
            return jax.block_until_ready(jax.device_put(restored, self.device))

    def advance(self, state: RunState) -> tuple[RunState, Chunk]:
        """Train until the next row of metrics is due, in one compiled call; do not use the given state again."""
        count = min(self.training.log_every, self.training.steps - self.step)
        with self.timer("train" if self._data.started else "compile"):
            data = jax.block_until_ready(self._data.take())
        streamed = self.compiled.streamed
        state, log = self._call("train", functions.advance, state, data, steps=count, streamed=streamed)
        self.step += count
        chunk = Chunk(self.step, count, jax.device_get(log), self.timer.lap(), position=self._data.position)
        return state, chunk

    @property
    def validation_due(self) -> bool:
        """Whether the run is validated after this step."""
        return self.step % self.training.eval_every == 0 or self.step == self.training.steps

    def validate(self, state: RunState, chunk: Chunk) -> tuple[RunState, Chunk]:
        """Evaluate on the validation split, keep the best model, and note both in the chunk."""
        data = self.compiled.data("validation", self.device)
        state, metrics = self._call("evaluate", functions.validate, state, data)
        metrics, best_step = jax.device_get((metrics, state.best_step))
        seconds = {activity: chunk.seconds[activity] + more for activity, more in self.timer.lap().items()}
        return state, chunk._replace(validation=metrics, best_step=best_step, seconds=seconds)

    def test(self, state: RunState) -> tuple[dict[str, Any], Seconds]:
        """Metrics of the best model on the test split, none with ``training.test=false``, and the time they took."""
        if not self.training.test:
            return {}, self.timer.lap()
        data = self.compiled.data("test", self.device)
        metrics = self._call("evaluate", functions.evaluate, state.best_model, data)
        return jax.device_get(metrics), self.timer.lap()

    def is_over(self, best_step: Step | np.ndarray) -> bool:
        """Whether all steps are done, or validation has not improved for ``training.patience`` evaluations."""
        patience, waited = self.training.patience, (self.step - int(best_step)) // self.training.eval_every
        return self.step >= self.training.steps or (bool(patience) and self.step > 0 and waited >= patience)

    def local(self, state: RunState) -> RunState:
        """A state that this process alone can use: fetched to the host, if several devices hold it."""
        return state if self.compiled.placement is None else jax.device_get(state)

    def close(self) -> None:
        """Stop reading batches ahead."""
        self._data.close()

    def _call(self, activity: Activity, function: Callable[..., Any], *args: PyTree, **static: Any) -> Any:
        return self.compiled.call(
            function, self.values, *args, timer=self.timer, activity=activity, size=self.size, **static
        )
