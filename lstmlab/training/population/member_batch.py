"""Members of a population that advance together in one compiled call."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from lstmlab.training.chunk import Chunk, advance, validate, validation_due
from lstmlab.training.compiled import CompiledRun
from lstmlab.training.functions import RunState
from lstmlab.training.recorder import Recorder
from lstmlab.training.stream import ResidentSplit, Stream
from lstmlab.training.timer import Seconds, Timer

# Programs of several devices wait for each other inside: two at once could wait forever.
_all_devices = threading.Lock()


class Progress(NamedTuple):
    """What one call of :meth:`MemberBatch.advance` did for one member."""

    recorder: Recorder
    chunk: Chunk | None
    """``None`` for a member that had only its test left to do"""
    state: RunState | None
    """where the recorder needs it"""
    test: dict[str, Any] | None
    """metrics of the best model on the test split, when the run is over"""
    seconds: Seconds
    """of the evaluation on the test split"""
    members: int
    """how many shared the call"""


class MemberBatch:
    """Runs of one program at one step: a single one runs the plain program, several are mapped by ``vmap``.

    Members that have ended or diverged are dropped with :meth:`drop`; their results are ignored, and they are left out
    of the program once half of its members have been dropped.

    Attributes:
        recorders: the members that are still training.
    """

    def __init__(self, compiled: CompiledRun, recorders: Sequence[Recorder], device: Any = None) -> None:
        self.compiled, self.device = compiled, compiled.placement or device
        self.recorders = list(recorders)
        self.step = self.recorders[0].step
        self._size = None if len(self.recorders) == 1 else len(self.recorders)
        self._index = {id(recorder): index for index, recorder in enumerate(self.recorders)}
        values = [recorder.values for recorder in self.recorders]
        self._values = jax.device_put(values[0] if self._size is None else _stack(np.stack, values), self.device)
        self._state: RunState | None = None
        self._data: ResidentSplit | Stream

    def drop(self, recorder: Recorder) -> None:
        """Go on without this member."""
        self.recorders.remove(recorder)
        if not self.recorders and self._state is not None:
            self._data.close()

    def advance(self) -> list[Progress]:
        """Train until the next row of metrics is due, and evaluate where that is due; the progress of every member.

        Safe to call in any thread, but not in two at once.
        """
        with _all_devices if self.compiled.placement else contextlib.nullcontext():
            return self._advance()

    def _advance(self) -> list[Progress]:
        timer, compiled, training = Timer(), self.compiled, self.compiled.config.training
        state = self._state if self._state is not None else self._start(timer)
        state = self._without_dropped(state)
        # A resumed run may have been stopped between its last step and its test.
        ended = [r for r in self.recorders if r.is_over(self.step, self._of(r, state.best_step))]
        if ended:
            self._state = state
            return self._progress(ended, None, ended, timer)
        state, chunk = advance(compiled, self._values, state, self._data, self.step, timer, self._size)
        if validation_due(training, chunk.step):
            state, chunk = validate(compiled, self._values, state, chunk, timer, self.device, self._size)
        self._state, self.step = state, chunk.step
        alive = [r for r in self.recorders if np.isfinite(self._of(r, chunk.log.loss)).all()]
        ended = [r for r in alive if r.is_over(self.step, self._of(r, state.best_step))]
        return self._progress(self.recorders, chunk, ended, timer)

    def _start(self, timer: Timer) -> RunState:
        """The first states, and the data from which they go on."""
        first = self.recorders[0]
        self._data = self.compiled.training_data(first.values, self.step, first.position, self.device)
        restored = [recorder.take_restored() for recorder in self.recorders]
        if restored[0] is None:
            return self.compiled.init(self._values, timer, self._size)
        with timer("compile"):
            state = restored[0] if self._size is None else _stack(jnp.stack, restored)
            return jax.block_until_ready(jax.device_put(state, self.device))

    def _progress(
        self, recorders: list[Recorder], chunk: Chunk | None, ended: list[Recorder], timer: Timer
    ) -> list[Progress]:
        tests, members = self._test(ended, timer), len(self.recorders)
        seconds = _share(timer.lap(), members)
        state = self._state_for_recorders(recorders[0], chunk, bool(tests))
        if chunk is not None:
            chunk = chunk._replace(seconds=_share(chunk.seconds, members), members=members)
        return [
            Progress(
                recorder=recorder,
                chunk=None if chunk is None else self._chunk_of(recorder, chunk),
                state=None if state is None else self._of(recorder, state),
                test=tests.get(id(recorder)),
                seconds=seconds,
                members=members,
            )
            for recorder in recorders
        ]

    def _test(self, ended: list[Recorder], timer: Timer) -> dict[int, dict[str, Any]]:
        """Metrics on the test split of the best models of members that have ended, by ``id``."""
        if not ended:
            return {}
        assert self._state is not None
        data = self.compiled.data("test", self.device)
        found = self.compiled.evaluate(self._values, self._state.best_model, data, timer, self._size)
        found = jax.device_get(found)
        return {id(recorder): self._of(recorder, found) for recorder in ended}

    def _state_for_recorders(self, recorder: Recorder, chunk: Chunk | None, ended: bool) -> RunState | None:
        """The state if recorders need it: mapped states leave the device at once rather than member by member."""
        assert self._state is not None
        if not ended and (chunk is None or not recorder.needs_state(chunk)):
            return None
        return self.compiled.local(self._state) if self._size is None else jax.device_get(self._state)

    def _without_dropped(self, state: RunState) -> RunState:
        """The state without dropped members, once they are half of the program's."""
        if self._size is None or len(self.recorders) > self._size // 2:
            return state
        keep = jnp.asarray([self._index[id(recorder)] for recorder in self.recorders])
        state, self._values = jax.tree.map(lambda leaf: leaf[keep], (state, self._values))
        self._size = len(self.recorders)
        self._index = {id(recorder): index for index, recorder in enumerate(self.recorders)}
        return state

    def _chunk_of(self, recorder: Recorder, chunk: Chunk) -> Chunk:
        log, validation, best_step = self._of(recorder, (chunk.log, chunk.validation, chunk.best_step))
        return chunk._replace(log=log, validation=validation, best_step=best_step)

    def _of(self, recorder: Recorder, tree: Any) -> Any:
        """A member's part of what a program returned."""
        if self._size is None:
            return tree
        index = self._index[id(recorder)]
        return jax.tree.map(lambda leaf: leaf[index], tree)


def _share(seconds: Seconds, members: int) -> Seconds:
    return {activity: value / members for activity, value in seconds.items()}


def _stack(how: Any, trees: Sequence[Any]) -> Any:
    return jax.tree.map(lambda *leaves: how(leaves), *trees)
