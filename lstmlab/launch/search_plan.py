"""The plan of a search: the overrides of all jobs, and what is compared, repeated and searched.

* Config groups (``cell=lstm,gru``), ``task.*`` and the keys of ``hydra.sweeper.grid`` are *compared*: every combination
  of their values is searched on its own, with the same number of trials, so that no cell is tuned more than another.
* ``seed=0,1,2`` is *repeated*: every trial runs once per seed, and its objective is the mean.
* Every other range is *searched*.

Trials are validated alone. The setting of each combination that is best on validation is *confirmed*: trained again
with ``confirm_seeds`` seeds that no trial has used, and evaluated on the test split.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from lstmlab.config import ConfigError, traced_keys
from lstmlab.launch.search_space import Dimension, Interval, dimension
from lstmlab.settings import suggest

SAMPLERS = ("random", "tpe")
MINIMUM = {"trials": 1, "batch_size": 1, "seed": 0, "static_values": 0, "confirm_seeds": 0}
TEST_KEY = "training.test"


@dataclass(frozen=True)
class SearchSettings:
    """Keys of ``hydra.sweeper``; what they mean is in ``conf/hydra/sweeper/search.yaml``."""

    sampler: str
    trials: int
    batch_size: int
    seed: int
    static_values: int
    confirm_seeds: int
    grid: list[str]
    space: dict[str, str]


@dataclass(frozen=True)
class Plan:
    """The parts of a search."""

    fixed: list[str]
    """overrides of every job"""
    grid: dict[str, list[str]]
    """values to compare, by key"""
    seeds: list[str]
    """seeds of every trial"""
    space: dict[str, Dimension]
    """ranges to search, by key"""

    def choices(self) -> list[list[str]]:
        """Per key the overrides that must compose for the search to be possible."""
        ranges = {key: dim.samples() for key, dim in self.space.items()}
        repeats = {"seed": self.seeds} if self.seeds else {}
        several = [[f"{key}={v}" for v in values] for key, values in (self.grid | repeats | ranges).items()]
        return [[text] for text in self.fixed] + several


def read_settings(sweeper: DictConfig | Mapping[str, Any]) -> SearchSettings:
    """Check the keys of ``hydra.sweeper``; raises ``ConfigError`` naming a wrong one."""
    if importlib.util.find_spec("optuna") is None:
        raise ConfigError("a search needs Optuna: pip install 'lstmlab[search]'")
    plain = OmegaConf.to_container(OmegaConf.create(sweeper), resolve=True)  # type: ignore[arg-type]
    assert isinstance(plain, dict)
    values: dict[str, Any] = {str(k): v for k, v in plain.items() if k != "_target_"}
    known = [field.name for field in fields(SearchSettings)]
    for name in values:
        if name not in known:
            raise ConfigError(f"unknown key 'hydra.sweeper.{name}'{suggest(name, known)} (known: {', '.join(known)})")
    settings = SearchSettings(**values)
    if settings.sampler not in SAMPLERS:
        raise ConfigError(f"hydra.sweeper.sampler is '{settings.sampler}', but must be one of: {', '.join(SAMPLERS)}")
    for name, minimum in MINIMUM.items():
        if type(values[name]) is not int or values[name] < minimum:
            raise ConfigError(
                f"hydra.sweeper.{name} is {values[name]!r}, but must be a whole number of at least {minimum}"
            )
    if not isinstance(settings.grid, list):
        raise ConfigError(
            f"hydra.sweeper.grid is {settings.grid!r}, but must be a list of keys, such as [model.layers]"
        )
    if not isinstance(settings.space, dict):
        raise ConfigError(f"hydra.sweeper.space is {settings.space!r}, but must be ranges by key")
    return settings


def read_plan(settings: SearchSettings, overrides: Sequence[Override]) -> Plan:
    """Sort overrides and ranges into a plan; an override replaces the range of its key in ``hydra.sweeper.space``.

    Raises ``ConfigError`` for an impossible range, and where there is nothing to search.
    """
    ranges = {key: _range(key, text) for key, text in settings.space.items()}
    fixed = []
    for override in overrides:
        if override.key_or_group == TEST_KEY:
            raise ConfigError(
                f"{TEST_KEY} is set by the search: its trials are validated alone, and the runs that confirm the best "
                "settings are evaluated on the test split (hydra.sweeper.confirm_seeds=0: none)"
            )
        ranges.pop(override.key_or_group, None)
        if override.is_sweep_override():
            ranges[override.key_or_group] = override
        else:
            fixed.append(str(override.input_line))
    plan = Plan(fixed, {}, [], {})
    for key, override in ranges.items():
        name = override.get_key_element()
        if key == "seed":
            plan.seeds.extend(_listed(override))
        elif "." not in key or key.startswith("task.") or key in settings.grid:
            plan.grid[name] = _listed(override)
        else:
            plan.space[name] = _few_values(key, dimension(override), settings.static_values)
    if not plan.space:
        raise ConfigError(
            "nothing to search: give a key a range, such as optimizer.learning_rate=tag(log,interval(1e-4,1e-2))"
        )
    return plan


def _range(key: str, text: Any) -> Override:
    try:
        override = OverridesParser.create().parse_override(f"{key}={text}")
    except HydraException:
        raise ConfigError(f"cannot read hydra.sweeper.space: '{key}: {text}'") from None
    if not override.is_sweep_override():
        raise ConfigError(f"hydra.sweeper.space: '{key}: {text}' is no range: write {key}={text} as an override")
    return override


def _listed(override: Override) -> list[str]:
    if override.is_interval_sweep():
        raise ConfigError(f"'{override.input_line}' is never searched, every value of it is run: list the values")
    return list(dict.fromkeys(override.sweep_string_iterator()))


def _few_values(key: str, dim: Dimension, static_values: int) -> Dimension:
    """Cut the interval of a key that is not traced to ``static_values`` values: each compiles a program."""
    cut = static_values and isinstance(dim, Interval) and key not in traced_keys()
    return dim.cut(static_values) if cut and isinstance(dim, Interval) else dim
