"""Members that advance together in one compiled call."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lstmlab.training.engine import RunState, StepLog
from lstmlab.training.member import MemberRun, Piece
from lstmlab.training.programs import Programs
from lstmlab.training.stream import Stream

# Programs of several devices wait for each other inside: two at once could wait forever.
_all_devices = threading.Lock()


class Crew:
    """Runs of one program and one step: a crew of one runs the plain program, a larger one maps it by ``vmap``.

    Runs that have ended or diverged are let go with :meth:`drop`; their lanes are ignored, and left out of the program
    once half of the lanes are.

    Attributes:
        runs: the members that are still training.
    """

    def __init__(self, programs: Programs, runs: Sequence[MemberRun], device: Any = None) -> None:
        self.programs, self.device = programs, programs.placement or device
        self.runs = list(runs)
        self.training = self.runs[0].config.training
        self.step = self.runs[0].step
        self._lanes = None if len(self.runs) == 1 else len(self.runs)
        self._lane_of = {id(run): lane for lane, run in enumerate(self.runs)}
        members = [run.member for run in self.runs]
        self._members = jax.device_put(members[0] if self._lanes is None else _stack(np.stack, members), self.device)
        self._state: Any = None
        self._stream: Stream | None = None

    def drop(self, run: MemberRun) -> None:
        """Go on without this member."""
        self.runs.remove(run)
        if self._stream and not self.runs:
            self._stream.close()

    def work(self) -> list[tuple[MemberRun, Piece]]:
        """Train until the next row of metrics is due, and evaluate what is due; the pieces of work of every member.

        Safe to call in any thread, but not in two at once.
        """
        with _all_devices if self.programs.placement else contextlib.nullcontext():
            return self._work()

    def _work(self) -> list[tuple[MemberRun, Piece]]:
        seconds = {"train": 0.0, "compile": 0.0, "evaluate": 0.0}
        if self._state is None:
            self._state = self._timed(seconds, "compile", self._first_states)
        self._leave_out_idle_lanes()
        # A resumed run may have been stopped between its last step and its last evaluation.
        ended = [run for run in self.runs if run.is_over(self.step, self._best_step(run))]
        if ended:
            return self._pieces(ended, 0, None, None, seconds, self._results(ended, seconds))
        count = min(self.training.log_every, self.training.steps - self.step)
        data = self._training_data(seconds)
        self._state, log = self._run(seconds, "train", self.programs.advance, self._state, self._members, data, count)
        log = jax.device_get(log)
        self.step += count
        metrics = None
        if self.step % self.training.eval_every == 0 or self.step == self.training.steps:
            data = self.programs.data("validation", self.device)
            self._state, metrics = self._run(
                seconds, "evaluate", self.programs.assess, self._state, self._members, data
            )
            metrics = jax.device_get(metrics)
        alive = [run for run in self.runs if np.isfinite(self._lane(log, run).loss).all()]
        ended = [run for run in alive if run.is_over(self.step, self._best_step(run))]
        return self._pieces(self.runs, count, log, metrics, seconds, self._results(ended, seconds))

    def _training_data(self, seconds: dict[str, float]) -> Any:
        """The training split on the device, or the next chunk of its batches.

        Waiting for a chunk counts as training; for the first one, whose program is compiled, as compiling.
        """
        if self.programs.batches is None:
            return self.programs.data("train", self.device)
        (run,), what = self.runs, "train"
        if self._stream is None:
            self._stream, what = Stream(self.programs.batches, run.member, self.step, run.position), "compile"
        stream = self._stream
        return self._timed(seconds, what, lambda: self.programs.chunk(stream.take(), self.device))

    def _results(self, ended: list[MemberRun], seconds: dict[str, float]) -> dict[int, dict[str, float]]:
        """Every test metric of the best models of members that have ended, by ``id``."""
        if not ended:
            return {}
        data = self.programs.data("test", self.device)
        found = self._run(seconds, "evaluate", self.programs.evaluate, self._state.best_model, self._members, data)
        found = jax.device_get(found)
        return {id(run): self._floats(found, run) for run in ended}

    def _pieces(
        self,
        runs: list[MemberRun],
        count: int,
        log: StepLog | None,
        metrics: Any,
        seconds: dict[str, float],
        results: dict[int, dict[str, float]],
    ) -> list[tuple[MemberRun, Piece]]:
        share = {name: value / len(self.runs) for name, value in seconds.items()}
        # Mapped states leave the device at once, not lane by lane; those on several devices, as one.
        stays = self._lanes is None and self.programs.placement is None
        state = self._state if stays else None
        if not stays and (metrics is not None or results or runs[0].saves(self.step)):
            state = jax.device_get(self._state)
        pieces = []
        for run in runs:
            piece = Piece(
                step=self.step,
                count=count,
                log=None if log is None else self._lane(log, run),
                metrics=None if metrics is None else self._floats(metrics, run),
                test=results.get(id(run)),
                best_step=self._best_step(run) if metrics is not None else None,
                seconds=share,
                state=None if state is None else self._lane(state, run),
                members=len(self.runs),
                placement=self.programs.data_placement,
                position=self._stream.position if self._stream else None,
            )
            pieces.append((run, piece))
        return pieces

    def _first_states(self) -> RunState:
        restored = [run.restored for run in self.runs]
        if restored[0] is None:
            state, _ = self.programs.init(self._lanes, self._members)
            return state
        state = restored[0] if self._lanes is None else _stack(jnp.stack, restored)
        for run in self.runs:
            run.restored = None
        return jax.device_put(state, self.device)

    def _leave_out_idle_lanes(self) -> None:
        if self._lanes is None or len(self.runs) > self._lanes // 2:
            return
        keep = jnp.asarray([self._lane_of[id(run)] for run in self.runs])
        self._state, self._members = jax.tree.map(lambda leaf: leaf[keep], (self._state, self._members))
        self._lanes = len(self.runs)
        self._lane_of = {id(run): lane for lane, run in enumerate(self.runs)}

    def _best_step(self, run: MemberRun) -> int:
        return int(self._lane(self._state.best_step, run))

    def _lane(self, tree: Any, run: MemberRun) -> Any:
        """A member's part of what a program returned."""
        if self._lanes is None:
            return tree
        lane = self._lane_of[id(run)]
        return jax.tree.map(lambda leaf: leaf[lane], tree)

    def _floats(self, metrics: Any, run: MemberRun) -> dict[str, float]:
        return {name: float(value) for name, value in self._lane(metrics, run).items()}

    def _run(self, seconds: dict[str, float], what: str, program: Any, *args: Any) -> Any:
        started = time.perf_counter()
        result, compiling = program(self._lanes, *args)
        seconds["compile"] += compiling
        seconds[what] += time.perf_counter() - started - compiling
        return result

    def _timed(self, seconds: dict[str, float], what: str, function: Any) -> Any:
        started = time.perf_counter()
        result = jax.block_until_ready(function())
        seconds[what] += time.perf_counter() - started
        return result


def _stack(how: Any, trees: Sequence[Any]) -> Any:
    return jax.tree.map(lambda *leaves: how(leaves), *trees)
