"""Where populations run: in this process, or on a cluster by submitit or Ray."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from lstmlab.config import ConfigError
from lstmlab.launch.clusters import import_engine, run_on_ray, run_on_submitit
from lstmlab.launch.engine_settings import EngineSettings
from lstmlab.launch.sweep_job import SweepJob
from lstmlab.settings import suggest
from lstmlab.training import Hooks, Outcome, train_population
from lstmlab.training.population import STRATEGIES


def run_here(jobs: Sequence[SweepJob], sweep: Path, settings: EngineSettings) -> None:
    """Run the jobs in this process."""
    configs = [job.config for job in jobs if job.config is not None]
    directories = [job.directory for job in jobs]
    train_population(
        configs, directories, group=sweep.resolve().name, labels=_labels(jobs), hooks=_JobHooks(jobs),
        **settings.population,
    )  # fmt: skip


def _labels(jobs: Sequence[SweepJob]) -> list[str]:
    """Names for the progress bar: each job's number and the overrides that not all jobs have."""
    shared = set.intersection(*(set(job.overrides) for job in jobs))
    own = [[text for text in job.overrides if text not in shared] for job in jobs]
    return [
        f"{job.number}: {' '.join(texts)}" if texts else job.directory.name
        for job, texts in zip(jobs, own, strict=True)
    ]


class _JobHooks(Hooks):
    """Starts and finishes each job with its member of the population."""

    def __init__(self, jobs: Sequence[SweepJob]) -> None:
        self.jobs = jobs
        self.started: set[int] = set()

    def on_start(self, index: int) -> None:
        self.started.add(index)
        self.jobs[index].start()

    def on_end(self, index: int, outcome: Outcome) -> None:
        if index not in self.started:  # it had finished in an earlier sweep, or cannot run
            try:
                self.on_start(index)
            except OSError as error:
                outcome = Outcome(outcome.directory, error=outcome.error or error)
        if outcome.summary is not None:
            self.jobs[index].finish(outcome.summary)
        else:
            assert outcome.error is not None
            self.jobs[index].fail(outcome.error)


def read_engine(keys: Mapping[str, Any]) -> tuple[Engine, EngineSettings]:
    """The engine and its settings from the keys of ``hydra.launcher``; raises ``ConfigError`` naming a wrong one."""
    plain: Any = OmegaConf.to_container(OmegaConf.create(dict(keys)), resolve=True)
    name = plain.pop("engine", "local")
    if name not in ENGINES:
        raise ConfigError(f"hydra.launcher.engine is '{name}', but must be one of: {', '.join(ENGINES)}")
    if name != "local":
        import_engine(name)
    of_engine = {engine: plain.pop(engine, None) or {} for engine in ENGINES}
    known = [key for key in EngineSettings._fields if key != "engine"]
    for key, value in plain.items():
        if key not in known:
            raise ConfigError(f"unknown key 'hydra.launcher.{key}'{suggest(key, known)}")
        if key != "strategy" and value is not None and not (type(value) is int and value >= 1):
            raise ConfigError(f"hydra.launcher.{key} is {value!r}, but must be a number of at least 1, or null")
    settings = EngineSettings(**plain, engine=of_engine[name])
    if settings.strategy not in STRATEGIES:
        allowed = ", ".join(STRATEGIES)
        raise ConfigError(f"hydra.launcher.strategy is '{settings.strategy}', but must be one of: {allowed}")
    return ENGINES[name], settings


Engine = Callable[[Sequence[SweepJob], Path, EngineSettings], None]
ENGINES: dict[str, Engine] = {"local": run_here, "submitit": run_on_submitit, "ray": run_on_ray}
