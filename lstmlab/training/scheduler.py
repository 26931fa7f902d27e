"""Crews of members taking turns on workers, while one thread writes every file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax

from lstmlab.training.budget import spend_budget
from lstmlab.training.crew import Crew
from lstmlab.training.environment import use_compilation_cache
from lstmlab.training.hosts import from_lead
from lstmlab.training.interrupt import interrupts_at_safe_points
from lstmlab.training.member import MemberRun
from lstmlab.training.memory import lanes_that_fit
from lstmlab.training.programs import Programs, program_key
from lstmlab.training.resume import finished_summary
from lstmlab.training.trained import Trained


class Outcome(NamedTuple):
    """How a run ended: with a summary, or with an error."""

    directory: Path
    summary: dict[str, Any] | None = None
    error: Exception | None = None
    trained: Trained | None = None
    """``None`` after an error, and for a run that had finished before: :func:`lstmlab.load` reads it"""


class Hooks:
    """What wants to know of the members of a population, by their position; called in the scheduler's thread."""

    def on_start(self, index: int) -> None:
        """Before the directory of a run is opened."""

    def on_advance(self, index: int, steps: int) -> None:
        """Optimiser steps were taken, or had been taken before the run was resumed."""

    def on_end(self, index: int, outcome: Outcome) -> None:
        """The run has ended."""


class Scheduler:
    """Runs members until all have ended. A member that fails is no reason for another one to stop."""

    def __init__(
        self, runs: Sequence[MemberRun], executor: Executor, workers: int, hooks: Hooks, *, lanes: int | None = 1
    ) -> None:
        """``lanes`` is the most members per program; ``None``: as many as fit into memory."""
        self.runs, self.executor, self.hooks, self.lanes = list(runs), executor, hooks, lanes
        # While the files of one crew are written, the workers have another one to go on with.
        self.most_open = 2 * workers if lanes == 1 else workers
        self.outcomes: dict[int, Outcome] = {}
        self._position = {id(run): index for index, run in enumerate(self.runs)}
        self._open: list[MemberRun] = []
        self._working: dict[Future, Crew] = {}
        self._devices = jax.local_devices()

    def execute(self) -> list[Outcome]:
        """The outcome of every run. After an interrupt the runs under way can be resumed."""
        if any(run.config.training.compilation_cache for run in self.runs):
            use_compilation_cache()
        crews = self._crews()
        with interrupts_at_safe_points() as interrupt:
            try:
                while True:
                    while len(self._working) < self.most_open and (crew := next(crews, None)):
                        self._submit(crew)
                    if not self._working:
                        break
                    # The timeout lets an interrupt act although nothing ends.
                    done, _ = wait(self._working, timeout=0.5, return_when=FIRST_COMPLETED)
                    for future in done:
                        self._take(self._working.pop(future), future)
                    interrupt()
            except BaseException as error:
                wait(self._working)
                for run in self._open:
                    run.abandon(error)
                raise
        return [self.outcomes[index] for index in range(len(self.runs))]

    def _crews(self) -> Iterator[Crew]:
        """Crews in the order in which they are to start; a crew's directories are opened when it is asked for."""
        made = 0
        for programs, runs in self._programs():
            # Devices are either split among the rows of a batch or among members; and members that are streamed
            # train by themselves, as each has batches of its own.
            one = self.lanes == 1 or programs.placement is not None or programs.batches is not None
            size = 1 if one else self.lanes or lanes_that_fit(programs, runs, self._devices[0])
            if not one:  # accelerators share the members evenly
                size = min(size, -(-len(runs) // len(self._devices)))
            if size == 1 and len(self._devices) == 1 and not isinstance(self.executor, Inline):
                # Otherwise a worker would wait for the program that another one compiles.
                for task in programs.warm_up(runs[0].member):
                    self.executor.submit(task)
            for start in range(0, len(runs), size):
                opened = [run for run in runs[start : start + size] if self._opens(run, programs)]
                # All at once: the first crew's members move on while the next one waits.
                at_step: dict[int, list[MemberRun]] = {}
                for run in opened:
                    at_step.setdefault(run.step, []).append(run)
                for _, crew in sorted(at_step.items()):
                    device = self._devices[made % len(self._devices)] if len(self._devices) > 1 else None
                    made += 1
                    yield Crew(programs, crew, device)

    def _programs(self) -> Iterator[tuple[Programs, list[MemberRun]]]:
        """Runs that have something left to do, by program."""
        groups: dict[str, list[MemberRun]] = {}
        for run in self.runs:
            try:
                run.config = spend_budget(run.config)
                done = from_lead(partial(finished_summary, run.config, run.directory)) if run.config.resume else None
            except Exception as error:
                self._end(run, error=error)
                continue
            if done:
                self.hooks.on_advance(self._position[id(run)], run.config.training.steps)
                self._end(run, summary=done)
            else:
                groups.setdefault(program_key(run.config), []).append(run)
        for runs in groups.values():
            try:
                programs = Programs(runs[0].config)
            except Exception as error:
                for run in runs:
                    self._end(run, error=error)
            else:
                yield programs, runs

    def _opens(self, run: MemberRun, programs: Programs) -> bool:
        try:
            self.hooks.on_start(self._position[id(run)])
            run.open(programs.template)
        except Exception as error:
            self._end(run, error=error)
            return False
        self.hooks.on_advance(self._position[id(run)], run.step)
        self._open.append(run)
        return True

    def _submit(self, crew: Crew) -> None:
        self._working[self.executor.submit(crew.work)] = crew

    def _take(self, crew: Crew, future: Future) -> None:
        """Write down what a crew has done, and let the rest of it go on."""
        error = future.exception()
        if isinstance(error, Exception):
            for run in list(crew.runs):
                self._fail(crew, run, error)
            return
        for run, piece in future.result():
            try:
                trained = run.record(piece)
            except Exception as failure:
                self._fail(crew, run, failure)
                continue
            self.hooks.on_advance(self._position[id(run)], piece.count)
            if trained is not None:
                crew.drop(run)
                self._open.remove(run)
                self._end(run, summary=trained.summary, trained=trained)
        if crew.runs:
            self._submit(crew)

    def _fail(self, crew: Crew, run: MemberRun, error: Exception) -> None:
        crew.drop(run)
        self._open.remove(run)
        run.abandon(error)
        self._end(run, error=error)

    def _end(self, run: MemberRun, **result: Any) -> None:
        index = self._position[id(run)]
        self.outcomes[index] = Outcome(run.directory, **result)
        self.hooks.on_end(index, self.outcomes[index])


class Inline(Executor):
    """Does everything at once in the calling thread, where the caller's JAX settings hold."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future:
        """The future of what has been done; an interrupt is raised at once."""
        future: Future = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future
