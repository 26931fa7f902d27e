"""Members of a population that advance together in one compiled call."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from lstmlab.training.chunk import Chunk
from lstmlab.training.compiled import CompiledRun
from lstmlab.training.devices import Placement
from lstmlab.training.functions import RunState
from lstmlab.training.recorder import Recorder
from lstmlab.training.timer import Seconds, no_seconds
from lstmlab.training.trainer import Trainer

# Two programs that each use all devices can deadlock in their collectives: this lock runs one at a time.
_all_devices = threading.Lock()


class Progress(NamedTuple):
    """What one call of :meth:`MemberBatch.advance` did for one member."""

    recorder: Recorder
    chunk: Chunk | None
    """``None`` for a member that had only its test left to do"""
    state: RunState | None
    """where the recorder needs it"""
    test: dict[str, Any] | None
    """metrics of the best model on the test split, when the run is over; empty with ``training.test=false``"""
    seconds: Seconds
    """of the evaluation on the test split"""
    members: int
    """how many shared the call"""


class MemberBatch:
    """Runs that share compiled functions and are at the same step; several are mapped by ``vmap``, one is not.

    Members that have ended or diverged are dropped with :meth:`drop`; their results are ignored, and they are left out
    of the program once half of its members have been dropped.

    Attributes:
        recorders: the members that are still training.
    """

    def __init__(self, compiled: CompiledRun, recorders: Sequence[Recorder], device: Placement = None) -> None:
        self.compiled, self.recorders = compiled, list(recorders)
        self._index = {id(recorder): index for index, recorder in enumerate(self.recorders)}
        first, values = self.recorders[0], [recorder.values for recorder in self.recorders]
        size = None if len(values) == 1 else len(values)
        stacked = values[0] if size is None else _stack(np.stack, values)
        self._trainer = Trainer(compiled, stacked, first.step, first.position, size=size, device=device)
        self._state: RunState | None = None

    def drop(self, recorder: Recorder) -> None:
        """Go on without this member."""
        self.recorders.remove(recorder)
        if not self.recorders:
            self._trainer.close()

    def state_of(self, recorder: Recorder) -> RunState | None:
        """A member's state on the host, between calls of :meth:`advance`; ``None`` before the first."""
        if self._state is None:
            return None
        return self._of(recorder, jax.device_get(self._trainer.local(self._state)))

    def advance(self) -> list[Progress]:
        """Train until the next row of metrics is due, and evaluate where that is due; the progress of every member.

        Safe to call in any thread, but not in two at once.
        """
        with _all_devices if self.compiled.placement else contextlib.nullcontext():
            return self._advance()

    def _advance(self) -> list[Progress]:
        trainer = self._trainer
        state = self._state = self._without_dropped(self._start() if self._state is None else self._state)
        # A resumed run may have been stopped between its last step and its test.
        if ended := self._ended(self.recorders, state):
            return self._progress(ended, None, state, ended)
        state, chunk = trainer.advance(state)
        if trainer.validation_due:
            state, chunk = trainer.validate(state, chunk)
        self._state = state
        alive = [recorder for recorder in self.recorders if self._chunk_of(recorder, chunk).finite.all()]
        return self._progress(self.recorders, chunk, state, self._ended(alive, state))

    def _start(self) -> RunState:
        restored = [recorder.take_restored() for recorder in self.recorders]
        if restored[0] is None or self._trainer.size is None:
            return self._trainer.start(restored[0])
        return self._trainer.start(_stack(jnp.stack, restored))

    def _ended(self, recorders: list[Recorder], state: RunState) -> list[Recorder]:
        return [r for r in recorders if self._trainer.is_over(self._of(r, state.best_step))]

    def _progress(
        self, recorders: list[Recorder], chunk: Chunk | None, state: RunState, ended: list[Recorder]
    ) -> list[Progress]:
        members = len(self.recorders)
        test, seconds = self._trainer.test(state) if ended else (None, no_seconds())
        if chunk is not None:
            chunk = chunk._replace(seconds=_share(chunk.seconds, members), members=members)
        needed = bool(ended) or (chunk is not None and recorders[0].needs_state(chunk))
        # Mapped states leave the device at once rather than member by member.
        fetched = (self._trainer.local if self._trainer.size is None else jax.device_get)(state) if needed else None
        return [
            Progress(
                recorder=recorder,
                chunk=None if chunk is None else self._chunk_of(recorder, chunk),
                state=None if fetched is None else self._of(recorder, fetched),
                test=self._of(recorder, test) if recorder in ended else None,
                seconds=_share(seconds, members),
                members=members,
            )
            for recorder in recorders
        ]

    def _without_dropped(self, state: RunState) -> RunState:
        """The state without dropped members, once they are half of the program's."""
        trainer = self._trainer
        if trainer.size is None or len(self.recorders) > trainer.size // 2:
            return state
        keep = jnp.asarray([self._index[id(recorder)] for recorder in self.recorders])
        state, trainer.values = jax.tree.map(lambda leaf: leaf[keep], (state, trainer.values))
        trainer.size = len(self.recorders)
        self._index = {id(recorder): index for index, recorder in enumerate(self.recorders)}
        return state

    def _chunk_of(self, recorder: Recorder, chunk: Chunk) -> Chunk:
        log, validation, best_step = self._of(recorder, (chunk.log, chunk.validation, chunk.best_step))
        return chunk._replace(log=log, validation=validation, best_step=best_step)

    def _of(self, recorder: Recorder, tree: Any) -> Any:
        """A member's part of what a program returned."""
        if self._trainer.size is None:
            return tree
        index = self._index[id(recorder)]
        return jax.tree.map(lambda leaf: leaf[index], tree)


def _share(seconds: Seconds, members: int) -> Seconds:
    return {activity: value / members for activity, value in seconds.items()}


def _stack(how: Any, trees: Sequence[Any]) -> Any:
    return jax.tree.map(lambda *leaves: how(leaves), *trees)
