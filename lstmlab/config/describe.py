"""Every key of a configuration in words."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from lstmlab.cells import cell_entry
from lstmlab.config.convert import to_tree
from lstmlab.config.schema import SECTIONS, Config
from lstmlab.config.traced import traced_keys
from lstmlab.tasks import Task


def describe(config: Config) -> list[list[Any]]:
    """Rows of key, value, meaning, allowed values, and whether the key is traced."""
    tree, traced = to_tree(config), traced_keys()
    rows: list[list[Any]] = []
    for key, option in cell_entry(config.cell.name).cls.options.items():
        rule = allowed(option.choices, option.minimum, None)
        rows.append([f"cell.{key}", config.cell.options[key], option.help, rule, ""])
    sources = {"task": type(config.task), **SECTIONS}
    for section, cls in sources.items():
        for field in cls.options() if issubclass(cls, Task) else dataclasses.fields(cls):
            value = tree[section][field.name]
            rows.append(_row(f"{section}.{field.name}", field, value, traced))
    for field in dataclasses.fields(Config):
        if field.metadata:
            rows.append(_row(field.name, field, tree[field.name], traced))
    return rows


def _row(key: str, field: dataclasses.Field, value: Any, traced: list[str]) -> list[Any]:
    rules = field.metadata
    rule = allowed(rules.get("choices"), rules.get("minimum"), rules.get("maximum"))
    return [key, str(value), rules.get("help", ""), rule, "traced" if key in traced else ""]


def allowed(choices: Sequence[Any] | None, low: float | None, high: float | None) -> str:
    """The values that a key or option may take, in few characters; empty where its type says it all."""
    if choices:
        return " | ".join(map(str, choices))
    if low is not None and high is not None:
        return f"{low:.10g} … {high:.10g}"
    return f"≥ {low:.10g}" if low is not None else ""
