"""Splitting a configuration into what is compiled in and what is passed in."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from lstmlab.config.schema import SECTIONS, Config

Member = dict[str, Any]
"""Traced values by dotted key: what tells one member of a population from another."""


def traced_keys() -> list[str]:
    """The keys that can be traced, such as ``optimizer.learning_rate``."""
    return [name for name, _, _ in _traced(Config)]


def split_traced(config: Config) -> tuple[Config, Member]:
    """The configuration with its traced values replaced by defaults, and those values.

    Two configurations with equal first parts share one compiled program. Keys at their ``off`` value stay static.
    """
    member: Member = {}
    static: dict[str, Any] = {}
    for name, field, default in _traced(Config):
        value = _get(config, name)
        if field.metadata["off"] is not None and value == field.metadata["off"]:
            continue
        member[name] = np.uint32(value) if isinstance(default, int) else np.float32(value)
        # Any value but the off value says "on"; the default may be off.
        static[name] = default if default != field.metadata["off"] else 1.0
    return merge_traced(config, static), member


def merge_traced(config: Config, member: Mapping[str, Any]) -> Config:
    """The configuration with the given values, which may be tracers, in their places."""
    top = {k: v for k, v in member.items() if "." not in k}
    for section in SECTIONS:
        inside = {k.split(".", 1)[1]: v for k, v in member.items() if k.startswith(f"{section}.")}
        if inside:
            top[section] = dataclasses.replace(getattr(config, section), **inside)
    return dataclasses.replace(config, **top)


def switched_on(value: Any, off: float = 0.0) -> bool:
    """Whether a traced key's mechanism runs: traced values are on, a plain value is on unless it is ``off``."""
    return not (isinstance(value, (int, float)) and value == off)


def _traced(cls: type) -> Iterator[tuple[str, dataclasses.Field, Any]]:
    for section, kind in SECTIONS.items():
        for field in dataclasses.fields(kind):
            if field.metadata.get("traced"):
                yield f"{section}.{field.name}", field, field.default
    for field in dataclasses.fields(cls):
        if field.metadata.get("traced"):
            yield field.name, field, field.default


def _get(config: Config, dotted: str) -> Any:
    value: Any = config
    for part in dotted.split("."):
        value = getattr(value, part)
    return value
