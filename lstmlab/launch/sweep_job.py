"""One job of a sweep, with everything that Hydra promises for it: directory, files, callbacks, result."""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobReturn, JobRuntime, JobStatus
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from lstmlab.config import Config, ConfigError, to_config
from lstmlab.launch.job import objective, report_failure


class SweepReturn(JobReturn):
    """A job's result. A failed job has the worst objective: raising its error would end the sweep for all."""

    @property
    def return_value(self) -> Any:
        """The objective, smaller is better; infinite for a failed job."""
        return math.inf if self.status == JobStatus.FAILED else self._return_value

    @return_value.setter
    def return_value(self, value: Any) -> None:
        self._return_value = value


class SweepJob:
    """A job between composition and result; does what ``hydra.core.utils.run_job`` does, in separate steps.

    Attributes:
        number: Hydra's number of the job.
        directory: where it runs.
        overrides: what was given for it on the command line.
        config: the typed configuration, or ``None`` when it is faulty.
        result: what Hydra gets.
    """

    def __init__(self, context: HydraContext, task: TaskFunction, tree: DictConfig, number: int) -> None:
        """``tree`` is the job's composed configuration, which it keeps and completes."""
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

    def starts(self) -> None:
        """Write Hydra's files and call its callbacks."""
        with self._in_hydra():
            if self._tree.hydra.output_subdir is not None:
                folder = self.directory / self._tree.hydra.output_subdir
                folder.mkdir(parents=True, exist_ok=True)
                OmegaConf.save(self._own, folder / "config.yaml")
                OmegaConf.save(self.result.hydra_cfg, folder / "hydra.yaml")
                OmegaConf.save(self._tree.hydra.overrides.task, folder / "overrides.yaml")
            self._context.callbacks.on_job_start(config=self._tree, task_function=self._task)

    def succeeds(self, summary: dict[str, Any]) -> None:
        """The run has finished with this summary."""
        self._ends(JobStatus.COMPLETED, objective(summary))

    def fails(self, error: Exception) -> None:
        """The run has failed: one line says so."""
        report_failure(self.number, self.directory, error, self.config)
        self._ends(JobStatus.FAILED, error)

    def _ends(self, status: JobStatus, value: Any) -> None:
        self.result.status, self.result.return_value = status, value
        with self._in_hydra():
            self.result.task_name = JobRuntime.instance().get("name")
            self._context.callbacks.on_job_end(config=self._tree, job_return=self.result)

    def _refuse_what_needs_a_process(self) -> None:
        job = self._tree.hydra.job
        for key, wanted in (("chdir", job.chdir), ("env_set", job.env_set)):
            if wanted:
                raise ConfigError(f"hydra.job.{key} cannot be used by jobs of one process: add hydra/launcher=basic")

    def _in_hydra(self) -> _JobConfig:
        return _JobConfig(self._tree)


class _JobConfig:
    """``${hydra:…}`` means this job's configuration."""

    def __init__(self, tree: DictConfig) -> None:
        self._tree = tree

    def __enter__(self) -> None:
        self._before: Any = HydraConfig.instance().cfg
        HydraConfig.instance().set_config(self._tree)

    def __exit__(self, *error: object) -> None:
        HydraConfig.instance().cfg = self._before
