"""One run over several processes, such as one per host: they compute alike, and the first one does all the writing.

The first process, the lead, decides what depends on files and tells the others, so that all of them take the same
compiled calls in the same order and end alike.
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
# How long the others wait for a process that is lost: while they train, and when they end.
HEARTBEAT_SECONDS, SHUTDOWN_SECONDS = 30, 60

T = TypeVar("T")


def join_hosts(config: Config) -> None:
    """Connect the processes of a run with ``training.distributed``; must come before JAX computes anything.

    Raises ``ConfigError`` when the environment does not say where the others are, or they cannot be reached.
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


def leads() -> bool:
    """Whether this process is the one that writes; a single one does."""
    return jax.process_index() == 0


def from_lead(function: Callable[[], T]) -> T:
    """What ``function`` returns or raises in the lead, in every process; only the lead calls it.

    Every process must come here. The value and the error must be picklable.
    """
    if jax.process_count() == 1:
        return function()
    if not leads():
        value, error = pickle.loads(_broadcast(b""))
        if error is None:
            return value
        error.told_by_lead = True
        raise error
    try:
        value = function()
    except Exception as error:
        _broadcast(pickle.dumps((None, error)))
        raise
    _broadcast(pickle.dumps((value, None)))
    return value


def on_any(flag: bool) -> bool:
    """Whether the flag is set in any process. Every process must come here."""
    return flag if jax.process_count() == 1 else bool(np.any(multihost_utils.process_allgather(np.asarray(flag))))


def was_told(error: BaseException) -> bool:
    """Whether the lead has this error too, and shows it."""
    return getattr(error, "told_by_lead", False)


def _broadcast(message: bytes) -> bytes:
    size = int(multihost_utils.broadcast_one_to_all(np.asarray(len(message), np.int32)))
    # Padded, so that few sizes are compiled.
    padded = np.zeros(max(1024, 1 << (size - 1).bit_length()), np.uint8)
    padded[: len(message)] = np.frombuffer(message, np.uint8)
    return np.asarray(multihost_utils.broadcast_one_to_all(padded))[:size].tobytes()


def _from_environment() -> dict[str, Any]:
    """The arguments that the environment gives; none where JAX shall find them by itself."""
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
