"""A description of every key of a configuration."""

from __future__ import annotations

from typing import Any

from lstmlab.cells import cell_entry
from lstmlab.config.convert import to_tree
from lstmlab.config.schema import SECTIONS, Config
from lstmlab.settings import Setting, settings_of


def describe(config: Config) -> list[list[Any]]:
    """One row per key: key, value, meaning, allowed values, and ``traced`` or nothing."""
    tree = to_tree(config)
    sources = {"cell": cell_entry(config.cell.name).cls, "task": type(config.task), **SECTIONS}
    rows = [
        _row(f"{section}.{name}", setting, tree[section][name])
        for section, cls in sources.items()
        for name, setting in settings_of(cls).items()
    ]
    return rows + [_row(name, setting, tree[name]) for name, setting in settings_of(Config).items()]


def _row(key: str, setting: Setting, value: Any) -> list[Any]:
    return [key, str(value), setting.help, setting.allowed, "traced" if setting.traced else ""]
