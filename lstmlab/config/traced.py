"""Splitting a configuration into a static part, which is compiled in, and traced values, which are passed in."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from lstmlab.config.schema import SECTIONS, Config
from lstmlab.settings import Setting, settings_of

Member = dict[str, Any]
"""Traced values by dotted key; the members of a population differ in them alone."""


def traced_keys() -> list[str]:
    """The keys that can be traced, such as ``optimizer.learning_rate``."""
    return [name for name, _ in _traced()]


def split_traced(config: Config) -> tuple[Config, Member]:
    """The static configuration, in which traced values are replaced by defaults, and the traced values.

    Configurations with equal static parts share one compiled program. A key at its ``off`` value, or without one, is
    static.
    """
    member: Member = {}
    static: dict[str, Any] = {}
    for name, setting in _traced():
        value = _get(config, name)
        if value is None or (setting.off is not None and value == setting.off):
            continue
        member[name] = np.uint32(value) if isinstance(setting.default, int) else np.float32(value)
        # A placeholder that keeps the mechanism on: the default, or 1.0 if the default is the off value.
        static[name] = setting.default if setting.default != setting.off else 1.0
    return merge_traced(config, static), member


def merge_traced(config: Config, member: Mapping[str, Any]) -> Config:
    """The configuration with the given values, which may be tracers."""
    top = {k: v for k, v in member.items() if "." not in k}
    for section in SECTIONS:
        inside = {k.split(".", 1)[1]: v for k, v in member.items() if k.startswith(f"{section}.")}
        if inside:
            top[section] = dataclasses.replace(getattr(config, section), **inside)
    return dataclasses.replace(config, **top)


def switched_on(value: Any, off: float = 0.0) -> bool:
    """Whether the mechanism of a traced key runs: always for a tracer, else unless the value is ``off``."""
    return not (isinstance(value, (int, float)) and value == off)


def _traced() -> Iterator[tuple[str, Setting]]:
    for section, cls in SECTIONS.items():
        yield from ((f"{section}.{name}", s) for name, s in settings_of(cls).items() if s.traced)
    yield from ((name, s) for name, s in settings_of(Config).items() if s.traced)


def _get(config: Config, dotted: str) -> Any:
    value: Any = config
    for part in dotted.split("."):
        value = getattr(value, part)
    return value
