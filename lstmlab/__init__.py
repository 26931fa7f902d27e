"""lstmlab: which recurrent cell is best for your sequences, by how much, and why.

>>> import lstmlab
>>> config = lstmlab.compose(["cell=gru", "task=adding", "task.length=20"])
>>> trained = lstmlab.train(config, "outputs/example")  # doctest: +SKIP
>>> trained = lstmlab.load("outputs/example")  # doctest: +SKIP
"""

import importlib
from typing import Any

_HOMES = {
    "compose": "config", "Config": "config", "ConfigError": "config",
    "train": "training", "load": "training", "Trained": "training", "RunFailed": "training",
    "unroll": "recurrence", "make_cell": "cells", "register_cell": "cells", "Cell": "cells",
    "register_task": "tasks", "Task": "tasks", "SequenceModel": "models", "compare": "study",
}  # fmt: skip

__all__ = [
    "Cell", "Config", "ConfigError", "RunFailed", "SequenceModel", "Task", "Trained", "compare", "compose", "load",
    "make_cell", "register_cell", "register_task", "train", "unroll",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import on first use: ``import lstmlab`` itself costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'lstmlab' has no attribute '{name}'")
    return getattr(importlib.import_module(f"lstmlab.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
