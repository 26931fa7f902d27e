"""Populations on a cluster, by submitit (SLURM) or Ray: one task trains jobs that share a program."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from lstmlab.config import Config, ConfigError
from lstmlab.launch.engine_settings import EngineSettings
from lstmlab.launch.job import one_line_reason
from lstmlab.launch.sweep_job import SweepJob
from lstmlab.tracking.files import SUMMARY, read_summary
from lstmlab.tracking.plain import one_line
from lstmlab.tracking.sweep_progress import SweepProgress
from lstmlab.training import RunFailed, train_population
from lstmlab.training.compiled import program_key
from lstmlab.training.interrupts import Signals, interrupts_at_safe_points

POLL_SECONDS = 0.5
"""time between two looks at the tasks"""


class JobOutcome(NamedTuple):
    """How a job of a task ended: with a summary, or with an error; plain values, which are sent between machines."""

    summary: dict[str, Any] | None
    error: str | None


def run_task(
    configs: Sequence[Config], directories: Sequence[str], group: str, settings: dict[str, Any]
) -> list[JobOutcome]:
    """Train one population on a worker of the cluster, in directories that all machines share."""
    outcomes = train_population(configs, directories, group=group, **settings)
    return [JobOutcome(o.summary, None if o.error is None else one_line_reason(o.error, o.directory)) for o in outcomes]


def run_on_submitit(jobs: Sequence[SweepJob], sweep: Path, settings: EngineSettings) -> None:
    """Run the jobs by ``submitit.AutoExecutor``: on SLURM, or in processes of this machine with ``cluster: local``."""
    submitit = import_engine("submitit")
    parameters = {key: value for key, value in settings.engine.items() if value is not None}
    executor = submitit.AutoExecutor(folder=sweep / ".submitit", cluster=parameters.pop("cluster", None))
    executor.update_parameters(**parameters)
    tasks = make_tasks(jobs, settings.members_per_task)
    with executor.batch():
        handles = [executor.submit(run_task, *_start(task, sweep, settings)) for task in tasks]

    def cancel() -> None:
        for handle in handles:
            handle.cancel()

    _collect(tasks, [handle.done for handle in handles], [handle.result for handle in handles], cancel)


def run_on_ray(jobs: Sequence[SweepJob], sweep: Path, settings: EngineSettings) -> None:
    """Run the jobs by Ray, on the cluster that ``ray.init`` finds or starts."""
    ray = import_engine("ray")
    started = not ray.is_initialized()
    if started:
        ray.init(**{"log_to_driver": False, **(settings.engine.get("init") or {})})
    try:
        remote = ray.remote(**(settings.engine.get("remote") or {"num_cpus": 1}))(run_task)
        tasks = make_tasks(jobs, settings.members_per_task)
        handles = [remote.remote(*_start(task, sweep, settings)) for task in tasks]

        def is_done(handle: Any) -> bool:
            return bool(ray.wait([handle], timeout=0)[0])

        def cancel() -> None:
            for handle in handles:
                ray.cancel(handle)

        done = [partial(is_done, handle) for handle in handles]
        _collect(tasks, done, [partial(ray.get, handle) for handle in handles], cancel)
    finally:
        if started:
            ray.shutdown()


def make_tasks(jobs: Sequence[SweepJob], limit: int | None) -> list[list[SweepJob]]:
    """The jobs grouped by program, with at most ``limit`` jobs per task."""
    groups: dict[str, list[SweepJob]] = {}
    for job in jobs:
        assert job.config is not None
        groups.setdefault(program_key(job.config), []).append(job)
    tasks = []
    for group in groups.values():
        size = limit or len(group)
        tasks += [group[start : start + size] for start in range(0, len(group), size)]
    return tasks


def _start(task: list[SweepJob], sweep: Path, settings: EngineSettings) -> tuple[Any, ...]:
    """Start the jobs of a task; returns the arguments of :func:`run_task`."""
    for job in task:
        job.start()
    configs = [job.config for job in task]
    return configs, [str(job.directory.resolve()) for job in task], sweep.resolve().name, settings.population


def _collect(
    tasks: list[list[SweepJob]],
    done: Sequence[Callable[[], bool]],
    results: Sequence[Callable[[], list[JobOutcome]]],
    cancel: Callable[[], None],
) -> None:
    """Finish the jobs of each task when it ends; an interrupt cancels all tasks."""
    jobs = [job for task in tasks for job in task]
    bar = SweepProgress(len(jobs), sum(_steps(job) for job in jobs))
    try:
        with interrupts_at_safe_points() as signals:
            for index in _in_order_of_end(done, signals):
                try:
                    outcomes = results[index]()
                except Exception as error:
                    # The task is lost, but the runs that it had finished have their files.
                    outcomes = [_outcome_from_files(job, error) for job in tasks[index]]
                for job, outcome in zip(tasks[index], outcomes, strict=True):
                    if outcome.summary is not None:
                        job.finish(outcome.summary)
                        bar.finished(job.directory.name, outcome.summary)
                    else:
                        job.fail(RunFailed(outcome.error))
                        bar.job_failed()
                    bar.advance(_steps(job))
    except BaseException:
        cancel()
        raise
    finally:
        bar.close()


def _steps(job: SweepJob) -> int:
    assert job.config is not None
    return job.config.training.steps


def _in_order_of_end(done: Sequence[Callable[[], bool]], signals: Signals) -> Iterator[int]:
    waiting = set(range(len(done)))
    while waiting:
        if signals.requested():
            signals.stop()
        for index in [index for index in sorted(waiting) if done[index]()]:
            waiting.remove(index)
            yield index
        if waiting:
            time.sleep(POLL_SECONDS)


def _outcome_from_files(job: SweepJob, error: Exception) -> JobOutcome:
    if (job.directory / SUMMARY).exists():
        summary = read_summary(job.directory)
        if summary["status"] == "finished":
            return JobOutcome(summary, None)
    return JobOutcome(None, f"its task was lost: {one_line(error)}")


def import_engine(name: str) -> Any:
    """The package ``submitit`` or ``ray``; raises ``ConfigError`` where it is missing."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise ConfigError(f"hydra.launcher.engine={name} needs the package: pip install 'lstmlab[{name}]'") from None
