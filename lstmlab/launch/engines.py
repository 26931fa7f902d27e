"""Where populations run: in this process, or as tasks of submitit or Ray."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from omegaconf import OmegaConf

from lstmlab.config import ConfigError
from lstmlab.launch.clusters import library, run_on_ray, run_on_submitit
from lstmlab.launch.sweep_job import SweepJob
from lstmlab.settings import suggest
from lstmlab.training import Hooks, Outcome, train_population
from lstmlab.training.population import STRATEGIES


class EngineOptions(NamedTuple):
    """The settings of ``hydra/launcher=population``."""

    strategy: str = "auto"
    workers: int | None = None
    max_members: int | None = None
    members_per_task: int | None = None
    engine: dict[str, Any] = {}  # noqa: RUF012 - read only
    """of the engine itself"""

    @property
    def population(self) -> dict[str, Any]:
        """Those of :func:`lstmlab.train_population`."""
        return {"strategy": self.strategy, "workers": self.workers, "max_members": self.max_members}


def run_here(jobs: Sequence[SweepJob], sweep: Path, options: EngineOptions) -> None:
    """All jobs in this process."""
    configs = [job.config for job in jobs if job.config is not None]
    directories = [job.directory for job in jobs]
    train_population(
        configs, directories, group=sweep.resolve().name, labels=_labels(jobs), hooks=_Jobs(jobs), **options.population
    )


def _labels(jobs: Sequence[SweepJob]) -> list[str]:
    """What tells the jobs apart: the overrides that not all of them have."""
    shared = set.intersection(*(set(job.overrides) for job in jobs))
    own = [[text for text in job.overrides if text not in shared] for job in jobs]
    return [
        f"{job.number}: {' '.join(texts)}" if texts else job.directory.name
        for job, texts in zip(jobs, own, strict=True)
    ]


class _Jobs(Hooks):
    """Tells jobs what happens to their members."""

    def __init__(self, jobs: Sequence[SweepJob]) -> None:
        self.jobs = jobs
        self.started: set[int] = set()

    def on_start(self, index: int) -> None:
        self.started.add(index)
        self.jobs[index].starts()

    def on_end(self, index: int, outcome: Outcome) -> None:
        if index not in self.started:  # finished before, or refused at once
            try:
                self.on_start(index)
            except OSError as error:
                outcome = Outcome(outcome.directory, error=outcome.error or error)
        if outcome.summary is not None:
            self.jobs[index].succeeds(outcome.summary)
        else:
            assert outcome.error is not None
            self.jobs[index].fails(outcome.error)


def read_options(settings: Mapping[str, Any]) -> tuple[Engine, EngineOptions]:
    """The engine and its options from the keys of ``hydra.launcher``; raises ``ConfigError`` naming a wrong one."""
    plain: Any = OmegaConf.to_container(OmegaConf.create(dict(settings)), resolve=True)
    name = plain.pop("engine", "local")
    if name not in ENGINES:
        raise ConfigError(f"hydra.launcher.engine is '{name}', but must be one of: {', '.join(ENGINES)}")
    if name != "local":
        library(name)
    parts = {engine: plain.pop(engine, None) or {} for engine in ENGINES}
    known = [field for field in EngineOptions._fields if field != "engine"]
    for key, value in plain.items():
        if key not in known:
            raise ConfigError(f"unknown key 'hydra.launcher.{key}'{suggest(key, known)}")
        if key != "strategy" and value is not None and not (type(value) is int and value >= 1):
            raise ConfigError(f"hydra.launcher.{key} is {value!r}, but must be a number of at least 1, or null")
    options = EngineOptions(**plain, engine=parts[name])
    if options.strategy not in STRATEGIES:
        allowed = ", ".join(STRATEGIES)
        raise ConfigError(f"hydra.launcher.strategy is '{options.strategy}', but must be one of: {allowed}")
    return ENGINES[name], options


Engine = Callable[[Sequence[SweepJob], Path, EngineOptions], None]
ENGINES: dict[str, Engine] = {"local": run_here, "submitit": run_on_submitit, "ray": run_on_ray}
