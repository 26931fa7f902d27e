"""One run over several processes, such as one per host: all compute the same, the main process does all the writing.

The main process (number 0) decides everything that depends on files and broadcasts it, so that all processes make the
same compiled calls in the same order and end in the same way.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from typing import Any, TypeVar

import jax
import numpy as np
from jax.experimental import multihost_utils

from lstmlab.config import Config, ConfigError
from lstmlab.tracking.plain import one_line

COORDINATOR, PROCESSES, PROCESS = "LSTMLAB_COORDINATOR", "LSTMLAB_PROCESSES", "LSTMLAB_PROCESS"
# How long the others wait for a lost process: during training, and at the end.
HEARTBEAT_SECONDS, SHUTDOWN_SECONDS = 30, 60

T = TypeVar("T")


def join_hosts(config: Config) -> None:
    """Connect the processes of a run with ``training.distributed``; must come before JAX computes anything.

    Raises ``ConfigError`` when the environment does not give their addresses, or they cannot be reached.
    """
    if not config.training.distributed or jax.distributed.is_initialized():
        return
    settings = _from_environment()
    try:
        jax.distributed.initialize(
            **settings, heartbeat_timeout_seconds=HEARTBEAT_SECONDS, shutdown_timeout_seconds=SHUTDOWN_SECONDS
        )
    except (ValueError, RuntimeError) as error:
        advice = "" if settings else f"; without SLURM, Open MPI or TPU set {COORDINATOR}, {PROCESSES} and {PROCESS}"
        raise ConfigError(f"training.distributed=true: {one_line(error)}{advice}") from None


def is_main_process() -> bool:
    """Whether this process writes the files; true for a single process."""
    return jax.process_index() == 0


def on_main_process(function: Callable[[], T]) -> T:
    """Call ``function`` in the main process alone; return its value, or raise its error, in every process.

    Every process must call this. The value and the error must be picklable.
    """
    if jax.process_count() == 1:
        return function()
    if not is_main_process():
        value, error = pickle.loads(_broadcast(b""))
        if error is None:
            return value
        error.raised_by_main_process = True
        raise error
    try:
        value = function()
    except Exception as error:
        _broadcast(pickle.dumps((None, error)))
        raise
    _broadcast(pickle.dumps((value, None)))
    return value


def gathered(value: int) -> np.ndarray:
    """The values of all processes ``[process]``. Every process must call this."""
    if jax.process_count() == 1:
        return np.asarray([value])
    return np.asarray(multihost_utils.process_allgather(np.asarray(value, np.int32)))


def shown_by_main_process(error: BaseException) -> bool:
    """Whether the main process has this error too, and shows it."""
    return getattr(error, "raised_by_main_process", False)


def _broadcast(message: bytes) -> bytes:
    size = int(multihost_utils.broadcast_one_to_all(np.asarray(len(message), np.int32)))
    # Padded, so that few sizes are compiled.
    padded = np.zeros(max(1024, 1 << (size - 1).bit_length()), np.uint8)
    padded[: len(message)] = np.frombuffer(message, np.uint8)
    return np.asarray(multihost_utils.broadcast_one_to_all(padded))[:size].tobytes()


def _from_environment() -> dict[str, Any]:
    """The arguments that the environment gives; none where JAX finds them by itself."""
    given = {name: os.environ[name] for name in (COORDINATOR, PROCESSES, PROCESS) if os.environ.get(name)}
    if not given:
        return {}
    for name in (COORDINATOR, PROCESSES, PROCESS):
        if name not in given:
            raise ConfigError(f"{name} is not set, but {next(iter(given))} is: training.distributed=true needs all")
    host, _, port = given[COORDINATOR].rpartition(":")
    if not host or not port.isdecimal():
        raise ConfigError(f"{COORDINATOR} is '{given[COORDINATOR]}', but must be HOST:PORT of process 0")
    for name, least in ((PROCESSES, 1), (PROCESS, 0)):
        if not given[name].isdecimal() or int(given[name]) < least:
            raise ConfigError(f"{name} is '{given[name]}', but must be a whole number of at least {least}")
    processes, process = int(given[PROCESSES]), int(given[PROCESS])
    if process >= processes:
        raise ConfigError(f"{PROCESS} is {process}, but must be less than {PROCESSES}, which is {processes}")
    return {"coordinator_address": given[COORDINATOR], "num_processes": processes, "process_id": process}
