"""The jobs of a sweep that have not begun: those that Hydra listed at its start, without the runs that are there."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lstmlab.dashboard.config_file import Unreadable, Value, read_yaml

SWEEP_FILE = "multirun.yaml"
"""the configuration of a sweep in its directory, written by Hydra before the first job"""
JOB_FILE = Path(".hydra", "overrides.yaml")
"""the overrides of a job in its directory"""
_GRID = "hydra._internal.core_plugins.basic_sweeper.BasicSweeper"
_MOST = 20_000
"""jobs of one sweep that are listed"""

Job = tuple[str, ...]
"""the overrides of a job, such as ``("cell=lstm", "seed=0")``"""


def planned_jobs(sweep: Path) -> list[Job]:
    """The overrides of all jobs of a sweep in their order.

    Searches, whose values are drawn on the way, have none, nor has a sweep whose file cannot be read.
    """
    try:
        hydra = read_yaml(sweep / SWEEP_FILE)["hydra"]
        if hydra["sweeper"]["_target_"] != _GRID:
            return []
        overrides = [f"{key}={value}" for key, value in (hydra["sweeper"].get("params") or {}).items()]
        return _expanded([*overrides, *map(str, hydra["overrides"]["task"])])
    except (OSError, Unreadable, KeyError, TypeError, AttributeError):
        return []


def job_of(run: Path) -> Job | None:
    """The overrides with which a sweep began the run; ``None`` where it was not a sweep."""
    try:
        overrides = read_yaml(run / JOB_FILE)
    except (OSError, Unreadable):
        return None
    return tuple(map(str, overrides)) if isinstance(overrides, list) else None


def values_of(job: Job) -> dict[str, Value]:
    """What the overrides of a job say of its configuration, by dotted key."""
    config: dict[str, Value] = {}
    for override in job:
        key, _, text = override.lstrip("+").partition("=")
        config[f"{key}.name" if key in ("cell", "task") else key] = _value(text)
    return config


def without(jobs: Iterable[Job], begun: Iterable[Job]) -> list[Job]:
    """The jobs that are not among those that have begun."""
    gone = set(begun)
    return [job for job in jobs if job not in gone]


def _expanded(arguments: list[str]) -> list[Job]:
    # Hydra's own reading of the command line; imported here, since it takes half a second.
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        overrides = OverridesParser.create().parse_overrides(arguments)
        counts = [len(list(each.sweep_string_iterator())) for each in overrides if each.is_discrete_sweep()]
        if math.prod(counts) > _MOST:
            return []
        (jobs,) = BasicSweeper.split_arguments(overrides, None)
    except (HydraException, ValueError, AssertionError):
        return []
    return [tuple(job) for job in jobs]


def _value(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"true": True, "false": False, "null": None}.get(text.lower(), text.strip("'\""))
