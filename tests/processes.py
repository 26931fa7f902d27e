"""Python programs in processes of their own, which do not outlive a test."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple


class Outcome(NamedTuple):
    """What a command left on the terminal, and its exit status."""

    code: int
    out: str
    err: str


PATIENCE = 120.0  # seconds until a process counts as hanging
# Python code that runs in the process of a command before it. As a preexec_fn it would run in a fork of the tests'
# process, whose threads (JAX has many) are gone there, but not the locks that they held.
PREPARE = "; ".join([
    "import os, signal, sys",
    # A shell that started the tests in the background made them deaf to Ctrl-C.
    "signal.signal(signal.SIGINT, signal.SIG_DFL)",
    # Whatever becomes of the tests, it does not stay for ever.
    "signal.alarm(900)",
    "os.execv(sys.argv[1], sys.argv[1:])",
])  # fmt: skip


class Started:
    """A Python program in a process of its own. It writes to files: a pipe would stay open with its children."""

    def __init__(self, arguments: list[str], cwd: Path | None, environment: Mapping[str, str]) -> None:
        self._out, self._err = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", PREPARE, sys.executable, *arguments],
            cwd=cwd, env={**os.environ, "PYTHONFAULTHANDLER": "1", **environment},
            stdin=subprocess.DEVNULL, stdout=self._out, stderr=self._err, start_new_session=True,
        )  # fmt: skip

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether it has left."""
        return self._process.poll() is not None

    def outcome(self) -> Outcome:
        """What it has written so far, and its exit status, once it has ended."""
        files = (self._out.fileno(), self._err.fileno())
        out, err = (os.pread(file, os.fstat(file).st_size, 0).decode() for file in files)
        return Outcome(self._process.returncode, out, err)

    def wait_for(self, reached: Callable[[], Any]) -> None:
        """Until ``reached()``; the test fails when the process ends before, or takes too long."""
        deadline = time.monotonic() + PATIENCE
        while not reached():
            assert not self.ended, f"it ended too soon: {self.outcome()}"
            assert time.monotonic() < deadline, "it hangs"
            time.sleep(0.002)

    def send(self, number: int) -> None:
        """A signal."""
        self._process.send_signal(number)

    def end(self, patience: float = PATIENCE) -> Outcome:
        """Until it has ended; the test fails when it takes too long."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(patience)
        assert self.ended, "it hangs"
        return self.outcome()

    def leave(self) -> None:
        """Kill it with its children if it is still there, and show where each of its threads stood."""
        if not self.ended:
            self.send(signal.SIGABRT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(10)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            print(f"killed, because the test did not wait for its end: {self._process.args}", *self.outcome(), sep="\n")
        self._out.close()
        self._err.close()


@contextlib.contextmanager
def started(*arguments: str, cwd: Path | None = None, **environment: str) -> Iterator[Started]:
    """``python ARGUMENTS`` in a process of its own, which does not outlive the block."""
    process = Started(list(arguments), cwd, environment)
    try:
        yield process
    finally:
        process.leave()
