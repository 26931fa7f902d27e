"""Classes by name: what registers cells and tasks, and finds them again."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar, runtime_checkable

from lstmlab.printable import shown
from lstmlab.settings import suggest


@runtime_checkable
class Entry(Protocol):
    """What a registry keeps of a class: its name, and whatever else the catalogue shows of it."""

    @property
    def name(self) -> str:
        """The name in the configuration."""
        ...

    @property
    def cls(self) -> type:
        """The registered class."""
        ...


E = TypeVar("E", bound=Entry)


class Registry(Generic[E]):
    """Entries by name, in the order of registration.

    Args:
        kind: what the entries are, in error messages: ``"cell"`` or ``"task"``.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.entries: dict[str, E] = {}

    def add(self, entry: E) -> None:
        """Register an entry; raises ``ValueError`` when another class already has its name.

        The same definition may run twice (a notebook cell, a reloaded module): the later one replaces the earlier.
        """
        known = self.entries.get(entry.name)
        if known is not None and known.cls.__qualname__ != entry.cls.__qualname__:
            raise ValueError(f"a {self.kind} named '{entry.name}' is already registered: {known.cls.__qualname__}")
        self.entries[entry.name] = entry

    def names(self) -> list[str]:
        """All registered names, in the order of registration."""
        return list(self.entries)

    def entry(self, name: str) -> E:
        """The entry of that name; raises ``ValueError`` that suggests the closest name and lists all known ones."""
        if name not in self.entries:
            known = ", ".join(sorted(self.entries))
            raise ValueError(
                f"unknown {self.kind} '{shown(name)}'{suggest(name, self.names())} (known {self.kind}s: {known})"
            )
        return self.entries[name]
