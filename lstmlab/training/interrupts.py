"""Delays Ctrl-C and SIGTERM until the results of the current step are written."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np

from lstmlab.training.distributed import gathered


class Terminated(KeyboardInterrupt):
    """SIGTERM, by which schedulers and ``docker stop`` end a process; handled like Ctrl-C."""

    status = 128 + signal.SIGTERM
    """the exit status of the process"""


def terminate(number: int, frame: Any) -> None:
    """The handler of SIGTERM outside of :func:`interrupts_at_safe_points`: acts at once, as Ctrl-C does there."""
    raise Terminated


_REPLACED = {signal.SIGINT: (signal.default_int_handler,), signal.SIGTERM: (signal.SIG_DFL, terminate)}
"""the signals that are held back, with the handlers that are replaced"""


class Signals:
    """The signals that came since :func:`interrupts_at_safe_points`."""

    def __init__(self) -> None:
        self._came: int = 0
        self._agreed: int = 0

    def requested(self) -> bool:
        """Whether the run should stop here. When several processes train one run, all of them must ask together."""
        self._agreed = int(np.max(gathered(self._came)))
        return bool(self._agreed)

    def stop(self) -> None:
        """End the run after :meth:`requested`: raises ``KeyboardInterrupt``, or ``Terminated`` after SIGTERM."""
        raise Terminated if self._agreed == signal.SIGTERM else KeyboardInterrupt

    def note(self, number: int, frame: Any) -> None:
        """The handler. A second Ctrl-C acts at once; schedulers may repeat SIGTERM without meaning more by it."""
        if self._came and number == signal.SIGINT:
            raise KeyboardInterrupt
        self._came = max(self._came, int(number))


@contextlib.contextmanager
def interrupts_at_safe_points() -> Iterator[Signals]:
    """Hold Ctrl-C and SIGTERM back until the block asks for them; a second Ctrl-C acts at once.

    Python may deliver an interrupt anywhere: in a finaliser it is lost, in a callback of XLA it aborts the process.
    Does nothing outside the main thread, and leaves a signal alone that has another handler. When several processes
    train one run, an interrupt of one stops all of them.
    """
    signals = Signals()
    if threading.current_thread() is not threading.main_thread():
        yield signals
        return
    ours = [number for number, handlers in _REPLACED.items() if signal.getsignal(number) in handlers]
    before = {number: signal.signal(number, signals.note) for number in ours}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def terminate_like_ctrl_c() -> None:
    """From now on SIGTERM raises ``Terminated`` in the main thread, unless it has another handler already."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, terminate)


def terminate_as_usual() -> None:
    """Undo :func:`terminate_like_ctrl_c`."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is terminate:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
