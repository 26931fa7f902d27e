"""One run that is watched: what its files say of it, and what follows for its state and the time left."""

from __future__ import annotations

import hashlib
import json
import math
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lstmlab.dashboard.config_file import Unreadable, Value, read_config
from lstmlab.dashboard.rows import Rows
from lstmlab.tracking.checksums import CONFIG_FILE
from lstmlab.tracking.files import METRICS, SUMMARY
from lstmlab.tracking.plain import INTERRUPTED, from_plain

WAITING, RUNNING, FINISHED = "waiting", "running", "finished"
DIVERGED, FAILED, STOPPED = "diverged", "failed", "interrupted"
STATES = (RUNNING, WAITING, FINISHED, DIVERGED, FAILED, STOPPED)
_STOPPED_BY = (INTERRUPTED, "KeyboardInterrupt", "SystemExit")
_NOT_FINITE = "stopped being finite"  # as the recorder words it
_QUIET, _QUIET_SHARED, _STARTING = 15.0, 60.0, 600.0
"""seconds without a new row after which a run counts as ended: where locks are seen; where they are not; and there
before the first row, while programs are compiled"""
_WINDOW = 60.0
"""seconds over which the speed is measured"""


@dataclass(frozen=True)
class Run:
    """A run as the page shows it; a new one is made whenever something has changed."""

    id: str
    name: str
    directory: Path
    config: dict[str, Value]
    state: str
    reason: str = ""
    """why it failed, or what is wrong with its files"""
    step: int = 0
    steps: int = 0
    """that the configuration asks for; 0 where it is not known"""
    left: float | None = None
    """seconds until the last step, at the speed of the last minute"""
    early: bool = False
    """whether it may stop before the last step"""
    last: dict[str, float] = field(default_factory=dict)
    """newest value of every metric"""
    summary: dict[str, Any] = field(default_factory=dict)
    version: int = 0
    """grows with the rows"""

    @property
    def cell(self) -> str:
        """The name of the cell; empty where it is not known."""
        return str(self.config.get("cell.name") or "")

    @property
    def task(self) -> str:
        """The name of the task; empty where it is not known."""
        return str(self.config.get("task.name") or "")


def run_id(directory: Path | str) -> str:
    """Ten hexadecimal digits that stand for a directory in addresses of the page."""
    return hashlib.sha256(str(directory).encode("utf-8", "surrogateescape")).hexdigest()[:10]


class WatchedRun:
    """Reads the files of one run again whenever they have changed."""

    def __init__(self, directory: Path, name: str, *, shared: bool) -> None:
        """``shared``: other computers, whose locks are not seen, may write there."""
        self.directory, self.name, self.shared = directory, name, shared
        self.rows = Rows(directory / METRICS)
        self.id = run_id(directory)
        self.version = 0
        self._config: dict[str, Value] = {}
        self._summary: dict[str, Any] = {}
        self._wrong: dict[str, str] = {}
        self._seen: dict[str, tuple[int, int, int] | None] = {}
        self._written = 0.0
        self._speeds: deque[tuple[float, int]] = deque()

    def poll(self, now: float, locked: bool | None) -> Run:
        """The run as it is at the time ``now``, in seconds since 1970; ``locked`` is ``None`` where it is not known.

        Raises ``FileNotFoundError`` where the directory is gone.
        """
        (self.directory / CONFIG_FILE).stat()
        if self._changed(CONFIG_FILE):
            self._config = self._read(CONFIG_FILE, read_config)
        if self._changed(METRICS):
            self._poll_rows(now)
        if self._changed(SUMMARY):
            self._summary = self._read(SUMMARY, _read_summary)
        state, reason = self._state(now, locked)
        steps = self._config.get("training.steps")
        return Run(
            self.id, self.name, self.directory, self._config, state, reason, self.rows.step,
            steps if isinstance(steps, int) else 0, self._left(now, steps) if state == RUNNING else None,
            bool(self._config.get("training.patience")), dict(self.rows.last), self._summary, self.version,
        )  # fmt: skip

    def _poll_rows(self, now: float) -> None:
        try:
            changed = self.rows.poll()
            self._wrong.pop(METRICS, None)
        except OSError as error:
            self._wrong[METRICS] = f"{METRICS} cannot be read: {error.strerror}"
            return
        if self.rows.bad:
            self._wrong[METRICS] = f"{METRICS}: line {self.rows.first_bad} is not a row of metrics"
        if self.rows.behind:
            self._seen.pop(METRICS)
        if changed:
            self.version += 1
            self._note_speed(now)

    def _note_speed(self, now: float) -> None:
        if self._speeds and self.rows.step < self._speeds[-1][1]:  # resumed from an earlier step
            self._speeds.clear()
        self._speeds.append((now, self.rows.step))
        while now - self._speeds[0][0] > _WINDOW and len(self._speeds) > 2:
            self._speeds.popleft()

    @property
    def steps_per_second(self) -> float:
        """As measured over the last minute; before there are two measurements, as the run logs it. 0: not known."""
        # The first measurement came with rows that may be old.
        if len(self._speeds) > 2:
            (start, before), (end, after) = self._speeds[1], self._speeds[-1]
            if end > start and after > before:
                return (after - before) / (end - start)
        logged = self.rows.last.get("time/steps_per_second", 0.0)
        return logged if math.isfinite(logged) else 0.0

    def _left(self, now: float, steps: Value) -> float | None:
        speed = self.steps_per_second
        if not isinstance(steps, int) or speed <= 0:
            return None
        since = now - self._written if self._written else 0.0
        return max((steps - self.rows.step) / speed - max(since, 0.0), 0.0)

    def _state(self, now: float, locked: bool | None) -> tuple[str, str]:
        wrong = "; ".join(self._wrong.values())
        if SUMMARY in self._wrong:
            return FAILED, wrong
        if not self._summary:
            if locked or now - self._written < self._patience(locked):
                return RUNNING, wrong
            return STOPPED, wrong or "no process writes here: add resume=true to go on"
        error = str(self._summary.get("error", "failed"))
        if self._summary.get("status") != FINISHED:
            if error.startswith(_STOPPED_BY):
                return STOPPED, error
            return (DIVERGED if _NOT_FINITE in error else FAILED), error
        value = self._summary.get("value")
        if isinstance(value, float) and not math.isfinite(value):
            return DIVERGED, f"its test {self._summary.get('metric')} is {value}"
        return FINISHED, wrong

    def _patience(self, locked: bool | None) -> float:
        """Seconds without a new row for which a run without a lock still counts as running."""
        if locked is False and not self.shared:
            return _QUIET
        if not self.rows.step:
            return _STARTING
        speed = self.rows.last.get("time/steps_per_second", 0.0)
        every = self._config.get("training.log_every")
        between = every / speed if isinstance(every, int) and 0 < speed < math.inf else 0.0
        return max(_QUIET_SHARED, 3 * between)

    def _changed(self, name: str) -> bool:
        """Whether the file is another one than at the last call."""
        try:
            status = (self.directory / name).stat()
        except OSError:
            now = None
        else:
            now = (status.st_ino, status.st_size, status.st_mtime_ns)
            if name != SUMMARY:
                self._written = max(self._written, status.st_mtime)
        changed = name not in self._seen or self._seen[name] != now
        self._seen[name] = now
        return changed

    def _read(self, name: str, read: Any) -> dict[str, Any]:
        self._wrong.pop(name, None)
        try:
            return read(self.directory / name)
        except FileNotFoundError:
            return {}
        except OSError as error:
            self._wrong[name] = f"{name} cannot be read: {error.strerror}"
        except Unreadable as error:
            self._wrong[name] = str(error)
        return {}


def _read_summary(path: Path) -> dict[str, Any]:
    try:
        summary = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise Unreadable(f"{path.name} is not valid JSON") from None
    if not isinstance(summary, dict) or not isinstance(summary.get("status"), str):
        raise Unreadable(f"{path.name} is not the summary of a run")
    return from_plain(summary)
