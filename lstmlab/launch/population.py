"""The Hydra launcher for sweeps: many jobs, few compiled programs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn, configure_log, setup_globals
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from lstmlab.config import ConfigError
from lstmlab.launch.directories import check_run
from lstmlab.launch.engines import read_engine
from lstmlab.launch.leave import leave
from lstmlab.launch.sweep_job import SweepJob


class PopulationLauncher(Launcher):
    """Runs jobs that share a program as one population; its keys are in ``conf/hydra/launcher/population.yaml``."""

    def __init__(self, **settings: Any) -> None:
        """``settings`` are the keys of ``hydra.launcher``."""
        self._settings = settings

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep what Hydra passes; exits with one line when a setting is wrong."""
        self.context, self.task, self.config = hydra_context, task_function, config
        # Hydra's sweeper composes every job to check it: keep the results, so that jobs are composed once.
        self.loader = _CachingLoader(hydra_context.config_loader)
        hydra_context.config_loader = self.loader  # type: ignore[assignment]
        try:
            self.engine, self.settings = read_engine(self._settings)
        except ConfigError as error:
            leave(error)

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run the jobs; a failed job has the objective ``inf``."""
        setup_globals()
        configure_log(self.config.hydra.hydra_logging, self.config.hydra.verbose)
        directory = Path(str(self.config.hydra.sweep.dir))
        directory.mkdir(parents=True, exist_ok=True)
        jobs = [
            SweepJob(self.context, self.task, self.loader.take(self.config, overrides), initial_job_idx + index)
            for index, overrides in enumerate(job_overrides)
        ]
        try:
            _check_directories(jobs)
            for job in jobs:
                if job.error is not None:
                    _start_and_fail(job, job.error)
            ready = [job for job in jobs if job.config is not None]
            if ready:
                self.engine(ready, directory, self.settings)
        except ConfigError as error:
            leave(error)
        return [job.result for job in jobs]


def _check_directories(jobs: Sequence[SweepJob]) -> None:
    seen: dict[Path, int] = {}
    for job in jobs:
        if job.directory in seen:
            raise ConfigError(
                f"jobs {seen[job.directory]} and {job.number} would share the directory {job.directory}: "
                "hydra.sweep.subdir must tell them apart"
            )
        seen[job.directory] = job.number
        if job.config is not None:
            check_run(job.directory, resume=job.config.resume, sweep=True)


def _start_and_fail(job: SweepJob, error: Exception) -> None:
    try:
        job.start()
    except OSError as unwritable:
        error.add_note(str(unwritable))
    job.fail(error)


class _CachingLoader:
    """A configuration loader that keeps each sweep configuration until it is taken."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader
        self._cache: dict[tuple[str, ...], list[DictConfig]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def load_sweep_config(self, master_config: DictConfig, sweep_overrides: list[str]) -> DictConfig:
        """As Hydra's loader."""
        composed = self._loader.load_sweep_config(master_config, sweep_overrides)
        self._cache.setdefault(tuple(sweep_overrides), []).append(composed)
        return composed

    def take(self, master_config: DictConfig, overrides: Sequence[str]) -> DictConfig:
        """A configuration from the cache, or a new one; it is the caller's own."""
        cached = self._cache.get(tuple(overrides))
        return cached.pop() if cached else self._loader.load_sweep_config(master_config, list(overrides))
