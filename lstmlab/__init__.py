"""lstmlab: which recurrent cell is best for your sequences, by how much, and why.

>>> import lstmlab
>>> config = lstmlab.compose(["cell=gru", "task=adding", "task.length=20"])
>>> trained = lstmlab.train(config, "outputs/example")  # doctest: +SKIP
>>> trained = lstmlab.load("outputs/example")  # doctest: +SKIP
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lstmlab.cells import Cell, make_cell, register_cell
    from lstmlab.config import Config, ConfigError, compose
    from lstmlab.models import SequenceModel
    from lstmlab.recurrence import unroll
    from lstmlab.study import compare
    from lstmlab.tasks import Task, register_task
    from lstmlab.training import RunFailed, Trained, load, train, train_population

_HOMES = {
    "cells": ("Cell", "make_cell", "register_cell"),
    "config": ("Config", "ConfigError", "compose"),
    "models": ("SequenceModel",),
    "recurrence": ("unroll",),
    "study": ("compare",),
    "tasks": ("Task", "register_task"),
    "training": ("RunFailed", "Trained", "load", "train", "train_population"),
}

__all__ = [
    "Cell", "Config", "ConfigError", "RunFailed", "SequenceModel", "Task", "Trained", "compare", "compose", "load",
    "make_cell", "register_cell", "register_task", "train", "train_population", "unroll",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import on first use: ``import lstmlab`` itself costs nothing."""
    for home, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"lstmlab.{home}"), name)
    raise AttributeError(f"module 'lstmlab' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__
