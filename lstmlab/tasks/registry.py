"""The registry of tasks: a name, a class, one line, the data's licence and the paper."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TypeVar

from lstmlab.tasks.task import Task

T = TypeVar("T", bound=type[Task])


@dataclasses.dataclass(frozen=True)
class TaskEntry:
    """What the catalogue says of a task."""

    name: str
    cls: type[Task]
    title: str
    data: str
    paper: str
    published: str


_TASKS: dict[str, TaskEntry] = {}


def register_task(name: str, *, title: str, data: str, paper: str, published: str = "") -> Callable[[T], T]:
    """Class decorator; ``data`` says where the data comes from and under which licence, ``published`` which results
    of the metric are known, each with its model and source.

    Raises ``ValueError`` when another class already has the name.
    """

    def register(cls: T) -> T:
        known = _TASKS.get(name)
        if known is not None and known.cls.__qualname__ != cls.__qualname__:
            raise ValueError(f"a task named '{name}' is already registered: {known.cls.__qualname__}")
        cls.name = name
        _TASKS[name] = TaskEntry(name, cls, title, data, paper, published)
        return cls

    return register


def task_names() -> list[str]:
    """Names of all registered tasks."""
    return list(_TASKS)


def task_entry(name: str) -> TaskEntry:
    """The registered task of that name; raises ``ValueError`` that lists the known ones."""
    if name not in _TASKS:
        raise ValueError(f"unknown task '{name}' (known tasks: {', '.join(sorted(_TASKS))})")
    return _TASKS[name]
