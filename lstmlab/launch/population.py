"""Hydra's launcher for sweeps: many jobs, few programs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from hydra.core.utils import JobReturn, configure_log, setup_globals
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from lstmlab.config import ConfigError
from lstmlab.launch.engines import read_options
from lstmlab.launch.sweep_job import SweepJob


class PopulationLauncher(Launcher):
    """Groups the jobs of a batch by program and runs each group as a population; see ``conf/hydra/launcher``."""

    def __init__(self, **settings: Any) -> None:
        """Takes the keys of ``hydra.launcher``."""
        self._settings = settings

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Remember what Hydra hands over; leaves with one line when a setting is wrong."""
        self.context, self.task, self.config = hydra_context, task_function, config
        # Hydra's sweeper composes every job once to see whether it can be composed; then it is our turn.
        self.composed = _Remembering(hydra_context.config_loader)
        hydra_context.config_loader = self.composed  # type: ignore[assignment]
        try:
            self.engine, self.options = read_options(self._settings)
        except ConfigError as error:
            _refuse(error)

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run the jobs; a failed one has the objective ``inf``."""
        setup_globals()
        configure_log(self.config.hydra.hydra_logging, self.config.hydra.verbose)
        directory = Path(str(self.config.hydra.sweep.dir))
        directory.mkdir(parents=True, exist_ok=True)
        jobs = [
            SweepJob(self.context, self.task, self.composed.take(self.config, overrides), initial_job_idx + index)
            for index, overrides in enumerate(job_overrides)
        ]
        try:
            _check_directories(jobs)
            for job in jobs:
                if job.error is not None:
                    _start_and_fail(job, job.error)
            ready = [job for job in jobs if job.config is not None]
            if ready:
                self.engine(ready, directory, self.options)
        except ConfigError as error:
            _refuse(error)
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


def _start_and_fail(job: SweepJob, error: Exception) -> None:
    try:
        job.starts()
    except OSError as unwritable:
        error.add_note(str(unwritable))
    job.fails(error)


def _refuse(error: ConfigError) -> NoReturn:
    # Not an Exception: Hydra would print a traceback and its own advice around the one line that matters.
    print(f"lstmlab: {error}", file=sys.stderr)
    raise SystemExit(1) from None


class _Remembering:
    """A configuration loader that keeps what Hydra's sweeper composes to see whether it can be composed."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader
        self._composed: dict[tuple[str, ...], list[DictConfig]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def load_sweep_config(self, master_config: DictConfig, sweep_overrides: list[str]) -> DictConfig:
        """As Hydra's own."""
        composed = self._loader.load_sweep_config(master_config, sweep_overrides)
        self._composed.setdefault(tuple(sweep_overrides), []).append(composed)
        return composed

    def take(self, master_config: DictConfig, overrides: Sequence[str]) -> DictConfig:
        """A job's configuration, which nobody else holds."""
        kept = self._composed.get(tuple(overrides))
        return kept.pop() if kept else self._loader.load_sweep_config(master_config, list(overrides))
