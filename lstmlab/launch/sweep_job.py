"""One job of a sweep, with what Hydra guarantees for every job: directory, files, callbacks, result."""

from __future__ import annotations

import contextlib
import copy
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobReturn, JobRuntime, JobStatus
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from lstmlab.config import Config, ConfigError, to_config
from lstmlab.launch.job import objective, report_failure


class SweepReturn(JobReturn):
    """A job's result. A failed job has the worst objective, since raising its error would end the sweep."""

    @property
    def return_value(self) -> Any:
        """The objective, smaller is better; infinite for a failed job."""
        return math.inf if self.status == JobStatus.FAILED else self._return_value

    @return_value.setter
    def return_value(self, value: Any) -> None:
        self._return_value = value


class SweepJob:
    """A job from its composed configuration to its result: ``hydra.core.utils.run_job`` in separate steps.

    Attributes:
        number: Hydra's number of the job.
        directory: the run directory.
        overrides: the job's overrides.
        config: the typed configuration, or ``None`` when it cannot run.
        error: why it cannot run.
        result: what Hydra gets.
    """

    def __init__(self, context: HydraContext, task: TaskFunction, tree: DictConfig, number: int) -> None:
        """``tree`` is the job's composed configuration, which is changed in place."""
        self._context, self._task = context, task
        self.number = number
        with open_dict(tree):
            tree.hydra.job.id = str(number)
            tree.hydra.job.num = number
        self._tree = tree
        with self._in_hydra():
            directory = Path(str(tree.hydra.sweep.dir)) / str(tree.hydra.sweep.subdir)
            with read_write(tree.hydra.runtime), open_dict(tree.hydra.runtime):
                tree.hydra.runtime.output_dir = str(directory.resolve())
        self.directory = directory
        self._own = copy.deepcopy(tree)
        with read_write(self._own), open_dict(self._own):
            del self._own["hydra"]
        self.result = SweepReturn(cfg=self._own, working_dir=str(Path.cwd()))
        self.overrides: list[str] = list(OmegaConf.to_container(tree.hydra.overrides.task))  # type: ignore[arg-type]
        self.result.overrides = self.overrides
        self.config: Config | None = None
        self.error: Exception | None = None
        try:
            with self._in_hydra():
                hydra_cfg: Any = HydraConfig.instance().cfg
                self.result.hydra_cfg = copy.deepcopy(hydra_cfg)
                self._refuse_what_needs_a_process()
                self.config = to_config(self._own)
        except ConfigError as error:
            self.error = error

    def start(self) -> None:
        """Write Hydra's files and call its callbacks."""
        with self._in_hydra():
            if self._tree.hydra.output_subdir is not None:
                folder = self.directory / self._tree.hydra.output_subdir
                folder.mkdir(parents=True, exist_ok=True)
                OmegaConf.save(self._own, folder / "config.yaml")
                OmegaConf.save(self.result.hydra_cfg, folder / "hydra.yaml")
                OmegaConf.save(self._tree.hydra.overrides.task, folder / "overrides.yaml")
            self._context.callbacks.on_job_start(config=self._tree, task_function=self._task)

    def finish(self, summary: dict[str, Any]) -> None:
        """Give Hydra the objective of a finished run."""
        self._end(JobStatus.COMPLETED, objective(summary))

    def fail(self, error: Exception) -> None:
        """Print one line for a failed run, and give Hydra the worst objective."""
        report_failure(self.number, self.directory, error, self.config)
        self._end(JobStatus.FAILED, error)

    def _end(self, status: JobStatus, value: Any) -> None:
        self.result.status, self.result.return_value = status, value
        with self._in_hydra():
            self.result.task_name = JobRuntime.instance().get("name")
            self._context.callbacks.on_job_end(config=self._tree, job_return=self.result)

    def _refuse_what_needs_a_process(self) -> None:
        job = self._tree.hydra.job
        for key, wanted in (("chdir", job.chdir), ("env_set", job.env_set)):
            if wanted:
                raise ConfigError(f"hydra.job.{key} cannot be used by jobs of one process: add hydra/launcher=basic")

    @contextlib.contextmanager
    def _in_hydra(self) -> Iterator[None]:
        """Inside, ``${hydra:…}`` refers to this job's configuration."""
        hydra = HydraConfig.instance()
        before: Any = hydra.cfg
        hydra.set_config(self._tree)
        try:
            yield
        finally:
            hydra.cfg = before
