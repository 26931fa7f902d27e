"""Runs of one process that share their compiled programs: what is tested of a run is seldom how it was compiled."""

from __future__ import annotations

import os
import sys
from typing import Any

import jax

from lstmlab.cells import cell_entry
from lstmlab.config import Config
from lstmlab.training import compiled, devices, functions, stream
from lstmlab.training.compiled import CompiledRun, program_key

_programs: dict[Any, tuple[CompiledRun, Any]] = {}


def shared(config: Config) -> CompiledRun:
    """The programs of an earlier run that would be compiled alike, or new ones.

    A run that reads files of its own never shares, nor does one while something is patched that its programs are made
    of: a patched function is another function.
    """
    if config.data.file or config.data.dir:
        return CompiledRun(config)
    parts = _parts(config)
    # Parts are compared by identity: two classes may be equal and yet hold something else.
    key = (program_key(config), _surroundings(), tuple(map(id, parts)))
    if key not in _programs:
        _programs[key] = (CompiledRun(config), parts)  # the parts stay, so that nothing else gets their identity
    return _programs[key][0]


def forget() -> None:
    """Let go of all programs."""
    _programs.clear()


def _parts(config: Config) -> list[Any]:
    """Everything that tests replace of what a run computes: functions, methods of its cell and task, loaders."""
    whole = [stream.HostBatches, type(config.task), cell_entry(config.cell.name).cls]
    classes = [cls for last in whole for cls in last.__mro__ if cls.__module__ != "builtins"]
    modules = dict.fromkeys(sys.modules[cls.__module__] for cls in classes)
    owners = [*classes, compiled, devices, functions, stream, *modules]
    # How a program is called is not a part of it.
    makes = [value for name, value in vars(CompiledRun).items() if name != "call"]
    return [*makes, *(value for owner in owners for value in (owner, *vars(owner).values()))]


def _surroundings() -> tuple[Any, ...]:
    """What programs depend on beside their configuration."""
    variables = {name: value for name, value in os.environ.items() if name.startswith(("LSTMLAB", "JAX", "XLA"))}
    settings = {name: str(value) for name, value in jax.config.values.items()}
    return jax.local_device_count(), jax.config.jax_enable_x64, *sorted(variables.items()), *sorted(settings.items())
