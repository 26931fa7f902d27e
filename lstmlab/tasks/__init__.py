"""What is learned: data, loss, metrics, baselines. Every module of a family's folder may register tasks."""

import importlib
import pkgutil

from lstmlab.tasks.registry import TaskEntry, register_task, task_entry, task_names
from lstmlab.tasks.specs import Batch, Features, Pairs, Plot, Predictor, SourceTarget, Split, TimedSteps, Tokens
from lstmlab.tasks.task import Task

for _module in pkgutil.walk_packages(__path__, f"{__name__}."):
    importlib.import_module(_module.name)

__all__ = [
    "Batch",
    "Features",
    "Pairs",
    "Plot",
    "Predictor",
    "SourceTarget",
    "Split",
    "Task",
    "TaskEntry",
    "TimedSteps",
    "Tokens",
    "register_task",
    "task_entry",
    "task_names",
]  # fmt: skip
