"""Delays Ctrl-C until the results of the current step are written."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

from lstmlab.training.distributed import on_any_process


@contextlib.contextmanager
def interrupts_at_safe_points() -> Iterator[Callable[[], None]]:
    """Hold Ctrl-C back until the function that this yields is called; a second Ctrl-C acts at once.

    Python may deliver an interrupt anywhere: in a finaliser it is lost, in a callback of XLA it aborts the process.
    Does nothing outside the main thread, or where another handler of the signal is installed. When several processes
    train one run, an interrupt of one stops all of them.
    """
    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield lambda: None
        return
    pressed = False

    def note(number: int, frame: Any) -> None:
        nonlocal pressed
        if pressed:
            raise KeyboardInterrupt
        pressed = True

    def act() -> None:
        if on_any_process(pressed):
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, note)
    try:
        yield act
    finally:
        signal.signal(signal.SIGINT, before)
