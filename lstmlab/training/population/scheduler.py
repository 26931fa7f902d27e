"""Worker threads train batches of runs; this thread writes all files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from pathlib import Path
from typing import Any, NamedTuple

import jax

from lstmlab.training.budget import size_for_budget
from lstmlab.training.compiled import CompiledRun, program_key
from lstmlab.training.environment import use_compilation_cache
from lstmlab.training.interrupts import interrupts_at_safe_points
from lstmlab.training.population.member_batch import MemberBatch, Progress
from lstmlab.training.population.memory import members_that_fit
from lstmlab.training.recorder import Recorder
from lstmlab.training.trained import Trained


class Outcome(NamedTuple):
    """How a run ended: with a summary, or with an error."""

    directory: Path
    summary: dict[str, Any] | None = None
    error: Exception | None = None
    trained: Trained | None = None
    """``None`` after an error, and for a run that had finished before: :func:`lstmlab.load` reads it"""


class Hooks:
    """Called with the positions of members of a population, in the scheduler's thread."""

    def on_start(self, index: int) -> None:
        """Before the directory of a run is opened."""

    def on_advance(self, index: int, steps: int) -> None:
        """After optimiser steps, and for those that had been taken before the run was resumed."""

    def on_end(self, index: int, outcome: Outcome) -> None:
        """After the run has ended."""


class Scheduler:
    """Runs members until all have ended. A member that fails does not stop the others."""

    def __init__(
        self, recorders: Sequence[Recorder], executor: Executor, workers: int, hooks: Hooks, *, size: int | None = 1
    ) -> None:
        """``size`` is the most members per program; ``None``: as many as fit into memory."""
        self.recorders, self.executor, self.hooks, self.size = list(recorders), executor, hooks, size
        # While the files of one batch are written, the workers have another one to go on with.
        self.most_open = 2 * workers if size == 1 else workers
        self.outcomes: dict[int, Outcome] = {}
        self._position = {id(recorder): index for index, recorder in enumerate(self.recorders)}
        self._open: list[Recorder] = []
        self._working: dict[Future[list[Progress]], MemberBatch] = {}
        self._devices = jax.local_devices()

    def execute(self) -> list[Outcome]:
        """The outcome of every run. After an interrupt the runs under way can be resumed."""
        if any(recorder.config.training.compilation_cache for recorder in self.recorders):
            use_compilation_cache()
        batches = self._batches()
        with interrupts_at_safe_points() as signals:
            try:
                while True:
                    while len(self._working) < self.most_open and (batch := next(batches, None)):
                        self._submit(batch)
                    if not self._working:
                        break
                    # The timeout lets an interrupt act although nothing ends.
                    done, _ = wait(self._working, timeout=0.5, return_when=FIRST_COMPLETED)
                    for future in done:
                        self._record(self._working.pop(future), future)
                    if signals.requested():
                        self._keep_all()
                        signals.stop()
            except BaseException as error:
                wait(self._working)
                for recorder in self._open:
                    recorder.abandon(error)
                raise
        return [self.outcomes[index] for index in range(len(self.recorders))]

    def _batches(self) -> Iterator[MemberBatch]:
        """Batches in the order in which they start; the directories of one are opened when it is asked for."""
        made = 0
        for compiled, recorders in self._programs():
            # One member at a time if the rows of its batches are split over devices, or if its data is streamed.
            one = self.size == 1 or compiled.placement is not None or compiled.batches is not None
            size = 1 if one else self.size or members_that_fit(compiled, recorders, self._devices[0])
            if not one:  # accelerators share the members evenly
                size = min(size, -(-len(recorders) // len(self._devices)))
            if size == 1 and len(self._devices) == 1:
                # Otherwise a worker would wait for the program that another one compiles.
                for task in compiled.warm_up(recorders[0].values):
                    self.executor.submit(task)
            for start in range(0, len(recorders), size):
                opened = [recorder for recorder in recorders[start : start + size] if self._opens(recorder, compiled)]
                # Resumed members may stand at different steps: each step is a batch.
                at_step: dict[int, list[Recorder]] = {}
                for recorder in opened:
                    at_step.setdefault(recorder.step, []).append(recorder)
                for _, members in sorted(at_step.items()):
                    device = self._devices[made % len(self._devices)] if len(self._devices) > 1 else None
                    made += 1
                    yield MemberBatch(compiled, members, device)

    def _programs(self) -> Iterator[tuple[CompiledRun, list[Recorder]]]:
        """Runs that have something left to do, by program."""
        groups: dict[str, list[Recorder]] = {}
        for recorder in self.recorders:
            try:
                recorder.config = size_for_budget(recorder.config)
                done = recorder.finished()
            except Exception as error:
                self._end(recorder, error=error)
                continue
            if done:
                self.hooks.on_advance(self._position[id(recorder)], recorder.config.training.steps)
                self._end(recorder, summary=done)
            else:
                groups.setdefault(program_key(recorder.config), []).append(recorder)
        for recorders in groups.values():
            try:
                compiled = CompiledRun(recorders[0].config)
            except Exception as error:
                for recorder in recorders:
                    self._end(recorder, error=error)
            else:
                yield compiled, recorders

    def _opens(self, recorder: Recorder, compiled: CompiledRun) -> bool:
        try:
            self.hooks.on_start(self._position[id(recorder)])
            recorder.open(compiled)
        except Exception as error:
            self._end(recorder, error=error)
            return False
        self.hooks.on_advance(self._position[id(recorder)], recorder.step)
        self._open.append(recorder)
        return True

    def _submit(self, batch: MemberBatch) -> None:
        self._working[self.executor.submit(batch.advance)] = batch

    def _record(self, batch: MemberBatch, future: Future[list[Progress]], *, go_on: bool = True) -> None:
        """Write what the members of a batch have done, and let those that are left go on."""
        error = future.exception()
        if isinstance(error, Exception):
            for recorder in list(batch.recorders):
                self._fail(batch, recorder, error)
            return
        for progress in future.result():
            try:
                trained = _record(progress)
            except Exception as failure:
                self._fail(batch, progress.recorder, failure)
                continue
            self.hooks.on_advance(self._position[id(progress.recorder)], progress.chunk.count if progress.chunk else 0)
            if trained is not None:
                batch.drop(progress.recorder)
                self._open.remove(progress.recorder)
                self._end(progress.recorder, summary=trained.summary, trained=trained)
        if batch.recorders and go_on:
            self._submit(batch)

    def _keep_all(self) -> None:
        """A checkpoint of every member that is under way; what is being computed ends first."""
        begun = {future: batch for future, batch in self._working.items() if not future.cancel()}
        waiting = [batch for future, batch in self._working.items() if future not in begun]
        wait(begun)
        for future in begun:
            self._record(self._working.pop(future), future, go_on=False)
        for batch in [*begun.values(), *waiting]:
            for recorder in batch.recorders:
                state = batch.state_of(recorder)
                if state is not None:
                    recorder.checkpoint(state, None, due=True)

    def _fail(self, batch: MemberBatch, recorder: Recorder, error: Exception) -> None:
        batch.drop(recorder)
        self._open.remove(recorder)
        recorder.abandon(error)
        self._end(recorder, error=error)

    def _end(self, recorder: Recorder, error: Exception | None = None, **result: Any) -> None:
        index = self._position[id(recorder)]
        if error is not None:
            result["error"] = recorder.explained(error) or error
        self.outcomes[index] = Outcome(recorder.directory, **result)
        self.hooks.on_end(index, self.outcomes[index])


def _record(progress: Progress) -> Trained | None:
    """Write one member's results as :func:`lstmlab.training.run.train` does; the trained model when it is over."""
    recorder, chunk, state = progress.recorder, progress.chunk, progress.state
    if chunk is not None:
        recorder.record(chunk)
        if state is not None:
            recorder.checkpoint(state, chunk)
            recorder.plot(state, chunk)
    if progress.test is None:
        return None
    assert state is not None
    return recorder.finish(state, progress.test, progress.seconds, members=progress.members)
