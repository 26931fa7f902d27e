"""One way to declare a setting of a cell, a task or a section of the configuration.

``reset: str = setting("after", "where the reset gate acts", choices=("after", "before"))`` in a class body gives the
argument of the constructor, the Hydra key with its type, the help text and the error message.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import math
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from lstmlab.printable import shown

TYPE_NAMES = {type(None): "null", tuple: "list"}
CONFIGURED = (bool, int, float, str, tuple, type(None))
"""The types that values of a configuration have."""


UNCHANGED: Any = object()


@dataclasses.dataclass(frozen=True)
class Setting:
    """A declared setting. Empty ``choices`` allow any value of the right type and range."""

    default: Any
    help: str
    choices: tuple[Any, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    traced: bool = False
    """whether it can take another value without recompilation"""
    off: float | None = None
    """the value at which a traced setting switches its mechanism off"""
    earlier: Any = UNCHANGED
    """what a run directory of a version before this setting means, where that is not the default"""
    types: tuple[type, ...] = ()

    def check(self, key: str, value: Any) -> Any:
        """The value in the setting's type, an ``int`` as a ``float`` where that is asked for.

        Raises ``ValueError``: one line that begins with ``key`` and says what would be right.
        """
        if float in self.types and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        allowed = [str(choice) for choice in self.choices]
        if type(value) not in self.types:
            names = " or ".join(TYPE_NAMES.get(kind, kind.__name__) for kind in self.types)
            one_of = f", one of: {', '.join(allowed)}" if allowed else ""
            raise ValueError(f"{key} is {shown(repr(value))}, but must be of type {names}{one_of}")
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{key} is {value}, but must be a finite number")
        if self.choices and value not in self.choices:
            raise ValueError(
                f"{key} is '{shown(str(value))}', but must be one of: "
                f"{', '.join(allowed)}{suggest(str(value), allowed)}"
            )
        if self.minimum is not None and value is not None and value < self.minimum:
            raise ValueError(f"{key} is {shown(str(value))}, but must be at least {self.minimum:.10g}")
        if self.maximum is not None and value is not None and value > self.maximum:
            raise ValueError(f"{key} is {shown(str(value))}, but must be at most {self.maximum:.10g}")
        return value

    @property
    def allowed(self) -> str:
        """The values that it may take, in few characters; empty where its type says it all."""
        if self.choices:
            return " | ".join(map(str, self.choices))
        if self.minimum is not None and self.maximum is not None:
            return f"{self.minimum:.10g} … {self.maximum:.10g}"
        return f"≥ {self.minimum:.10g}" if self.minimum is not None else ""


def setting(
    default: Any,
    help: str,
    *,
    choices: Sequence[Any] = (),
    minimum: float | None = None,
    maximum: float | None = None,
    traced: bool = False,
    off: float | None = None,
    earlier: Any = UNCHANGED,
) -> Any:
    """Declare a setting in the body of a dataclass or of a cell; see :class:`Setting` for the arguments."""
    metadata = {
        "help": help, "choices": tuple(choices), "minimum": minimum, "maximum": maximum, "traced": traced, "off": off,
        "earlier": earlier,
    }  # fmt: skip
    return dataclasses.field(default=default, metadata=metadata)


@functools.cache
def settings_of(cls: type) -> dict[str, Setting]:
    """The settings that a class and its parents declare, the parents' first."""
    if dataclasses.is_dataclass(cls):
        hints = typing.get_type_hints(cls)
        return {f.name: _read(f, _types(hints[f.name])) for f in dataclasses.fields(cls) if "help" in f.metadata}
    bodies = [parent.__dict__ for parent in reversed(cls.__mro__)]
    fields = {k: v for body in bodies for k, v in body.items() if isinstance(v, dataclasses.Field)}
    return {name: _read(field, (type(field.default),)) for name, field in fields.items()}


def with_earlier(cls: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a run directory, with what settings that are newer than the run meant then."""
    newer = {name: s.earlier for name, s in settings_of(cls).items() if s.earlier is not UNCHANGED}
    return newer | dict(values)


def suggest(name: str, known: Sequence[str]) -> str:
    """``"; did you mean 'lstm'?"`` when a known name is close to ``name``, else nothing."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else ""


def _read(field: dataclasses.Field, kinds: tuple[type, ...]) -> Setting:
    return Setting(default=field.default, types=kinds, **field.metadata)


def _types(hint: Any) -> tuple[type, ...]:
    """The types of configured values that an annotation allows, without their parameters; traced values aside."""
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        return tuple(kind for part in typing.get_args(hint) for kind in _types(part))
    kind = typing.get_origin(hint) or hint
    return (kind,) if kind in CONFIGURED else ()
