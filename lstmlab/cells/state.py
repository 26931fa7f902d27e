"""What goes through a step of a cell: its state, and the gate activations that it reports."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple, Protocol, TypeAlias, TypeVar, runtime_checkable

from jaxtyping import Array

Gates: TypeAlias = dict[str, Array]
"""Activations by gate name, for diagnostics; computed by the same code that updates the state."""

S = TypeVar("S")


@runtime_checkable
class State(Protocol):
    """The state of any cell: a NamedTuple of arrays ``[batch, *spatial, features]``.

    Its field ``h`` is the output, which the next step and the next layer see.
    """

    _fields: ClassVar[tuple[str, ...]]

    @property
    def h(self) -> Array:
        """The output of the step."""
        ...

    def _replace(self: S, **fields: Any) -> S: ...


class HState(NamedTuple):
    """State of a cell that carries its output alone."""

    h: Array


class HCState(NamedTuple):
    """State of a cell with a memory ``c`` beside its output ``h``."""

    h: Array
    c: Array
