"""Configurations as flat keys and plain values, read without the typed configuration, whose import takes seconds.

The files may come from anybody: only plain values are built, and nothing that could grow without limit. What is wrong
with a file is shown on the page, beside its run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

LARGEST = 1 << 20
"""bytes of a configuration; those of a run have some thousand"""
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C where PyYAML was built with it

Value = bool | int | float | str | None


class Unreadable(Exception):
    """A file that cannot be shown; the message is one line."""


def read_yaml(path: Path) -> Any:
    """The plain values of a YAML file; raises ``Unreadable``, or ``OSError`` where it cannot be read at all."""
    with path.open("rb") as stream:
        content = stream.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise Unreadable(f"{path.name} has more than {LARGEST} bytes")
    try:
        # An alias of an alias of an alias … would be enormous once it is written out.
        if b"*" in content and any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(content, _LOADER)):
            raise Unreadable(f"{path.name} has aliases, which no run writes")
        return yaml.load(content, _LOADER)
    except (yaml.YAMLError, ValueError, RecursionError):
        raise Unreadable(f"{path.name} is not valid YAML") from None


def read_config(path: Path) -> dict[str, Value]:
    """A run's configuration by dotted key; lists are written as strings. Raises as :func:`read_yaml`."""
    tree = read_yaml(path)
    if not isinstance(tree, dict):
        raise Unreadable(f"{path.name} is not a configuration of keys and values")
    flat: dict[str, Value] = {}
    _flatten(tree, "", flat)
    for group in ("cell", "task"):
        if isinstance(flat.get(group), str):  # a file written by hand: cell: lstm
            flat[f"{group}.name"] = flat.pop(group)
    return flat


def _flatten(tree: dict[Any, Any], prefix: str, flat: dict[str, Value]) -> None:
    for key, value in tree.items():
        if isinstance(value, dict):
            _flatten(value, f"{prefix}{key}.", flat)
        else:
            flat[f"{prefix}{key}"] = value if value is None or isinstance(value, (bool, int, float)) else str(value)
