"""The options of a cell: given by name, checked against what its class declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, runtime_checkable

from lstmlab.settings import settings_of, suggest


@runtime_checkable
class HasOptions(Protocol):
    """What :func:`set_options` reads of a cell."""

    name: ClassVar[str]
    map: str
    spatial: tuple[int, ...]


def set_options(cell: HasOptions, given: Mapping[str, Any]) -> None:
    """Set every option as an attribute, to its default where it is not given; raises ``ValueError`` naming the cell."""
    owner, options = f"cell {cell.name}", settings_of(type(cell))
    for name in given:
        if name not in options:
            raise ValueError(
                f"{owner} has no option '{name}'{suggest(name, list(options))} (its options: {', '.join(options)})"
            )
    for name, declared in options.items():
        setattr(cell, name, declared.check(f"{owner}: {name}", given.get(name, declared.default)))
    if len(cell.spatial) > 2 or (cell.map == "conv") != bool(cell.spatial):
        raise ValueError(
            f"{owner}: cell.map=conv goes with inputs that have one or two spatial axes, "
            f"but map is '{cell.map}' and the spatial shape is {cell.spatial}"
        )
