"""Populations as tasks of submitit (SLURM) or Ray: one task is one group of jobs that share a program."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from lstmlab.config import Config, ConfigError
from lstmlab.launch.job import explained
from lstmlab.launch.sweep_job import SweepJob
from lstmlab.tracking.files import SUMMARY, read_summary
from lstmlab.tracking.plain import one_line
from lstmlab.tracking.sweep_progress import SweepProgress
from lstmlab.training import RunFailed, train_population
from lstmlab.training.compiled import program_key

POLL_SECONDS = 0.5


class Ended(NamedTuple):
    """How a run of a task ended, in plain values that travel between machines."""

    summary: dict[str, Any] | None
    error: str | None


def run_task(configs: Sequence[Config], directories: Sequence[str], group: str, options: dict[str, Any]) -> list[Ended]:
    """What a worker of a cluster executes: one population, in directories that all machines share."""
    outcomes = train_population(configs, directories, group=group, **options)
    return [Ended(o.summary, None if o.error is None else explained(o.error, o.directory)) for o in outcomes]


def run_on_submitit(jobs: Sequence[SweepJob], sweep: Path, options: Any) -> None:
    """Tasks of ``submitit.AutoExecutor``: SLURM, or processes of this machine with ``cluster: local``."""
    submitit = library("submitit")
    settings = dict(options.engine)
    executor = submitit.AutoExecutor(folder=sweep / ".submitit", cluster=settings.pop("cluster", None))
    executor.update_parameters(**{key: value for key, value in settings.items() if value is not None})
    tasks = make_tasks(jobs, options.members_per_task)
    with executor.batch():
        handles = [executor.submit(run_task, *_arguments(task, sweep, options)) for task in tasks]

    def cancel() -> None:
        for handle in handles:
            handle.cancel()

    ended = {index: handle.done for index, handle in enumerate(handles)}
    _collect(tasks, ended, lambda index: handles[index].result(), cancel)


def run_on_ray(jobs: Sequence[SweepJob], sweep: Path, options: Any) -> None:
    """Tasks of Ray, on the cluster that ``ray.init`` finds or starts."""
    ray = library("ray")
    started = not ray.is_initialized()
    if started:
        ray.init(**{"log_to_driver": False, **(options.engine.get("init") or {})})
    try:
        remote = ray.remote(**(options.engine.get("remote") or {"num_cpus": 1}))(run_task)
        tasks = make_tasks(jobs, options.members_per_task)
        handles = [remote.remote(*_arguments(task, sweep, options)) for task in tasks]

        def is_done(handle: Any) -> Callable[[], bool]:
            return lambda: bool(ray.wait([handle], timeout=0)[0])

        def cancel() -> None:
            for handle in handles:
                ray.cancel(handle)

        ended = {index: is_done(handle) for index, handle in enumerate(handles)}
        _collect(tasks, ended, lambda index: ray.get(handles[index]), cancel)
    finally:
        if started:
            ray.shutdown()


def make_tasks(jobs: Sequence[SweepJob], most: int | None) -> list[list[SweepJob]]:
    """The jobs by program, in pieces of at most ``most``."""
    groups: dict[str, list[SweepJob]] = {}
    for job in jobs:
        assert job.config is not None
        groups.setdefault(program_key(job.config), []).append(job)
    return [
        group[start : start + (most or len(group))]
        for group in groups.values()
        for start in range(0, len(group), most or len(group))
    ]


def _arguments(task: list[SweepJob], sweep: Path, options: Any) -> tuple[Any, ...]:
    for job in task:
        job.starts()
    configs = [job.config for job in task]
    return configs, [str(job.directory.resolve()) for job in task], sweep.resolve().name, options.population


def _collect(
    tasks: list[list[SweepJob]], ended: dict[int, Callable[[], bool]], result: Callable[[int], Any], cancel: Any
) -> None:
    """Tell the jobs how they ended, task by task as they come; an interrupt cancels what is left."""
    jobs = [job for task in tasks for job in task]
    bar = SweepProgress(len(jobs), sum(_steps(job) for job in jobs))
    try:
        for index in _as_they_end(dict(ended)):
            try:
                found = result(index)
            except Exception as error:
                # The task is lost, but runs that it had finished have their files.
                found = [_from_files(job, error) for job in tasks[index]]
            for job, end in zip(tasks[index], found, strict=True):
                if end.summary is not None:
                    job.succeeds(end.summary)
                    bar.finished(job.directory.name, end.summary)
                else:
                    job.fails(RunFailed(end.error))
                    bar.lost()
                bar.advance(_steps(job))
    except BaseException:
        cancel()
        raise
    finally:
        bar.close()


def _steps(job: SweepJob) -> int:
    assert job.config is not None
    return job.config.training.steps


def _as_they_end(waiting: dict[int, Callable[[], bool]]) -> Iterator[int]:
    while waiting:
        for index in [index for index, done in waiting.items() if done()]:
            del waiting[index]
            yield index
        if waiting:
            time.sleep(POLL_SECONDS)


def _from_files(job: SweepJob, error: Exception) -> Ended:
    if (job.directory / SUMMARY).exists():
        summary = read_summary(job.directory)
        if summary["status"] == "finished":
            return Ended(summary, None)
    return Ended(None, f"its task was lost: {one_line(error)}")


def library(name: str) -> Any:
    """The package of an engine; raises ``ConfigError`` where it is missing."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise ConfigError(f"hydra.launcher.engine={name} needs the package: pip install 'lstmlab[{name}]'") from None
