"""The registry of tasks: name, class, title, source and licence of the data, paper, published results."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TypeVar

from lstmlab.registry import Registry
from lstmlab.tasks.task import Task

T = TypeVar("T", bound=type[Task])


@dataclasses.dataclass(frozen=True)
class TaskEntry:
    """What the catalogue shows of a task."""

    name: str
    cls: type[Task]
    title: str
    data: str
    """where the data comes from, and its licence"""
    paper: str
    published: str
    """published values of the metric, each with its model and source; empty where none is known"""


TASKS: Registry[TaskEntry] = Registry("task")


def register_task(name: str, *, title: str, data: str, paper: str, published: str = "") -> Callable[[T], T]:
    """Class decorator; for the arguments see :class:`TaskEntry`.

    Raises ``ValueError`` when another class already has the name.
    """

    def register(cls: T) -> T:
        TASKS.add(TaskEntry(name, cls, title, data, paper, published))
        cls.name = name
        return cls

    return register


def task_names() -> list[str]:
    """Names of all registered tasks, in the order of registration."""
    return TASKS.names()


def task_entry(name: str) -> TaskEntry:
    """The registered task of that name; raises ``ValueError`` that suggests the closest name and lists all."""
    return TASKS.entry(name)
