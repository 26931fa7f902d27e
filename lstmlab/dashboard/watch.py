"""All watched runs: a thread reads what has changed, and the page asks for the state of things.

Files are opened for reading only, and no lock is taken. See :mod:`lstmlab.dashboard.rows` for why a poll is cheap.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lstmlab.dashboard.find import find
from lstmlab.dashboard.locks import held_locks, is_locked, is_shared
from lstmlab.dashboard.planned import files_seen, job_of, planned_jobs, values_of
from lstmlab.dashboard.planned_job import Job, Planned, without
from lstmlab.dashboard.run import RUNNING, STOPPED, WAITING, Run, WatchedRun, run_id

_SCAN_EVERY = 2.0
"""seconds between two searches for new runs"""
_KEPT_KEYS = ("cell.name", "task.name", "training.steps", "training.patience")
"""keys that a run that has not begun takes over from its sweep's first run, unless its overrides name them"""


@dataclass(frozen=True)
class Snapshot:
    """The runs at one moment, in the order in which they were found; those that wait come last."""

    runs: list[Run]
    version: int
    """another one whenever a run has changed"""
    unread: int
    """runs that were found and not read yet"""


class Watch:
    """Watches the runs at or below some directories. All methods may be called from any thread."""

    def __init__(self, directories: Sequence[Path], *, clock: Callable[[], float] = time.time) -> None:
        """Nothing is read before :meth:`poll` or :meth:`start`."""
        self.directories = list(directories)
        self._clock = clock
        self._lock = threading.Lock()
        self._watched: dict[Path, WatchedRun] = {}
        self._runs: dict[Path, Run] = {}
        self._jobs: dict[Path, tuple[Any, list[Planned]]] = {}
        self._begun: dict[Path, Job | None] = {}
        self._waiting: list[Run] = []
        self._scanned = 0.0
        self._version = 0
        self._stop = threading.Event()

    def start(self, every: float = 0.5) -> None:
        """Poll in a thread of its own, until :meth:`stop` or the end of the process."""
        threading.Thread(target=self._poll_on, args=(every,), name="watch", daemon=True).start()

    def stop(self) -> None:
        """End the thread of :meth:`start`."""
        self._stop.set()

    def snapshot(self) -> Snapshot:
        """The runs as they were at the last poll."""
        with self._lock:
            runs = [*self._runs.values(), *self._waiting]
            return Snapshot(runs, self._version, len(self._watched) - len(self._runs))

    def curve(self, run: str, metric: str) -> tuple[np.ndarray, np.ndarray]:
        """Steps and values ``[n]`` of a metric of the run with this ``id``; empty where there are none."""
        with self._lock:
            for watched in self._watched.values():
                if watched.id == run:
                    return watched.rows.curve(metric)
        return np.zeros(0), np.zeros(0)

    def curves(self, runs: Sequence[str], metric: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """As :meth:`curve`, of several runs by ``id``."""
        wanted = set(runs)
        with self._lock:
            return {each.id: each.rows.curve(metric) for each in self._watched.values() if each.id in wanted}

    def poll(self) -> None:
        """Read what has changed since the last call. Runs that have vanished are gone from the snapshot."""
        now = self._clock()
        if abs(now - self._scanned) >= _SCAN_EVERY:
            self._scanned = now
            self._scan()
        held = held_locks()
        for directory, watched in list(self._watched.items()):
            locked = is_locked(directory, held) if held is not None else None
            with self._lock:  # for one run at a time, so that the page need not wait for all
                try:
                    run = watched.poll(now, locked)
                except OSError:
                    self._forget(directory)
                    continue
                if run != self._runs.get(directory):
                    self._version += 1
                    self._runs[directory] = run
        self._poll_sweeps(held)

    def _poll_on(self, every: float) -> None:
        while not self._stop.is_set():
            started = time.monotonic()
            self.poll()
            # At most a third of one core, however many runs there are.
            self._stop.wait(max(every, 2 * (time.monotonic() - started)))

    def _scan(self) -> None:
        found, sweeps = find(self.directories)
        with self._lock:
            for directory in [directory for directory in self._watched if directory not in found]:
                self._forget(directory)
            # In order of discovery: runs of a sweep start in the order of their jobs.
            for directory, name in found.items():
                if directory not in self._watched:
                    self._watched[directory] = WatchedRun(directory, name, shared=is_shared(directory))
        self._jobs = {sweep: self._planned(sweep) for sweep in sweeps}

    def _planned(self, sweep: Path) -> tuple[Any, list[Planned]]:
        """The jobs of a sweep, read again when its files have changed, with what was seen of them."""
        seen = files_seen(sweep)
        before = self._jobs.get(sweep)
        return before if before and before[0] == seen else (seen, planned_jobs(sweep))

    def _forget(self, directory: Path) -> None:
        self._watched.pop(directory, None)
        self._begun.pop(directory, None)
        if self._runs.pop(directory, None):
            self._version += 1

    def _poll_sweeps(self, held: set[int] | None) -> None:
        waiting: list[Run] = []
        for sweep, (_, jobs) in self._jobs.items():
            members = [directory for directory in self._runs if sweep in directory.parents]
            for directory in members:
                if directory not in self._begun:
                    self._begun[directory] = job_of(directory)
            left = without(jobs, [job for member in members if (job := self._begun[member])])
            alive = any(self._runs[member].state == RUNNING for member in members)
            alive = alive or (held is not None and is_locked(sweep, held))
            base = self._runs[members[0]].config if members else {}
            waiting += [_not_begun(sweep, each, base, alive=alive) for each in left]
        if waiting != self._waiting:
            with self._lock:
                self._waiting = waiting
                self._version += 1


def _not_begun(sweep: Path, planned: Planned, base: dict, *, alive: bool) -> Run:
    config = {key: base[key] for key in _KEPT_KEYS if key in base} | values_of(planned.job)
    state, reason = (WAITING, "") if alive else (STOPPED, "did not begin: the sweep was stopped before")
    steps = config.get("training.steps")
    return Run(
        run_id(f"{sweep}\0{planned}"), f"{sweep.name}: {planned.name}", sweep, config, state, reason,
        steps=steps if isinstance(steps, int) else 0,
    )  # fmt: skip
