"""The jobs of a sweep: those that Hydra listed at its start, or that its search plans."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from lstmlab.dashboard.config_file import Unreadable, Value, read_yaml
from lstmlab.dashboard.planned_job import Job, Planned
from lstmlab.dashboard.planned_search import planned_trials
from lstmlab.tracking.search_files import FILE, TARGET

SWEEP_FILE = "multirun.yaml"
"""the configuration of a sweep in its directory, written by Hydra before the first job"""
JOB_FILE = Path(".hydra", "overrides.yaml")
"""the overrides of a job in its directory"""
_GRID = "hydra._internal.core_plugins.basic_sweeper.BasicSweeper"
_MOST = 20_000
"""jobs of one sweep that are listed"""


def planned_jobs(sweep: Path) -> list[Planned]:
    """The jobs of a sweep in their order; of a search those of the trials that have not ended.

    A sweep whose files cannot be read has none.
    """
    try:
        config = read_yaml(sweep / SWEEP_FILE)
        hydra = config["hydra"]
        if hydra["sweeper"]["_target_"] == TARGET:
            return planned_trials(sweep, config, _MOST)
        if hydra["sweeper"]["_target_"] != _GRID:
            return []
        overrides = [f"{key}={value}" for key, value in (hydra["sweeper"].get("params") or {}).items()]
        return _named(_expanded([*overrides, *map(str, hydra["overrides"]["task"])]))
    except (OSError, Unreadable, ValueError, KeyError, TypeError, AttributeError):
        return []


def files_seen(sweep: Path) -> tuple[tuple[int, int] | None, ...]:
    """Another value whenever a file from which jobs are read has changed."""
    return tuple(_stamp(sweep / name) for name in (SWEEP_FILE, FILE))


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def _named(jobs: list[Job]) -> list[Planned]:
    """Jobs by the overrides in which they differ."""
    varied = [index for index, texts in enumerate(zip(*jobs, strict=True)) if len(set(texts)) > 1]
    return [Planned(job, " ".join(job[index] for index in varied) or " ".join(job)) for job in jobs]


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
