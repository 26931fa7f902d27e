"""What is learned: data, loss, metrics, baselines. Every module of this folder may register tasks."""

import importlib
import pkgutil

from lstmlab.tasks.base import Batch, Features, Illustration, Pairs, Predictor, SourceTarget, Split, Task, Tokens
from lstmlab.tasks.registry import TaskEntry, register_task, task_entry, task_names

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = [
    "Batch", "Features", "Illustration", "Pairs", "Predictor", "SourceTarget", "Split", "Task", "TaskEntry",
    "Tokens",
    "register_task", "task_entry", "task_names",
]  # fmt: skip
