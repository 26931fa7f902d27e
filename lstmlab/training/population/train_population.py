"""Many runs at once: members of one program share its compilation, and the machine's cores or accelerators.

On CPUs every core takes the next chunk of some member with the plain program of one run, so that a member's result
has the same bits as if it had run alone. On GPUs and TPUs members are mapped into one program by ``vmap``; results
then agree within rounding.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jax

from lstmlab.config import Config, ConfigError
from lstmlab.tracking.sweep_progress import SweepProgress
from lstmlab.training.population.scheduler import Hooks, Outcome, Scheduler
from lstmlab.training.recorder import Recorder, run_name

STRATEGIES = ("auto", "threads", "vmap")


def train_population(
    configs: Sequence[Config],
    directories: Sequence[str | Path],
    *,
    strategy: str = "auto",
    workers: int | None = None,
    max_members: int | None = None,
    progress: bool = True,
    group: str | None = None,
    labels: Sequence[str] | None = None,
    hooks: Hooks | None = None,
) -> list[Outcome]:
    """Train many runs, each exactly as :func:`lstmlab.train` would, in its own directory.

    Runs that differ in traced keys alone (``lstmlab config`` lists them) are compiled once and run side by side.

    >>> from lstmlab import compose, train_population
    >>> configs = [compose(["task=adding", f"seed={seed}"]) for seed in range(8)]
    >>> outcomes = train_population(configs, [f"runs/{c.seed}" for c in configs])  # doctest: +SKIP
    >>> [outcome.summary["value"] for outcome in outcomes]  # doctest: +SKIP

    Args:
        configs: the runs; they may differ in anything.
        directories: a run directory for each.
        strategy: ``threads``: every worker takes the next chunk of some member; ``vmap``: members are mapped into one
            program; ``auto``: threads on CPUs, vmap on GPUs and TPUs.
        workers: programs that run at once; by default one per core, or per accelerator.
        max_members: most members of one program under ``vmap``; by default as many as fit into memory.
        progress: show a progress bar on standard error, and a line for every run that has finished.
        group: W&B group where a configuration names none.
        labels: what the lines call the runs; by default by cell, task and seed.
        hooks: called when a member starts, advances and ends.

    Returns:
        The outcomes in the order of ``configs``. A run that fails, such as by a loss that is no longer finite, has
        its error there; the others go on.

    Raises:
        ConfigError: for a wrong argument, before anything runs.
    """
    paths = [Path(directory) for directory in directories]
    _check(configs, paths, strategy, workers, max_members)
    if strategy == "auto":
        strategy = "threads" if jax.default_backend() == "cpu" else "vmap"
    recorders = [Recorder(c, p, group=group) for c, p in zip(configs, paths, strict=True)]
    workers = workers or default_workers()
    labels = labels or [run_name(config) for config in configs]
    hooks = hooks or Hooks()
    size = max_members if strategy == "vmap" else 1
    with contextlib.ExitStack() as stack:
        if progress:
            hooks = _ProgressBar(configs, labels, hooks)
            stack.callback(hooks.bar.close)
        executor = stack.enter_context(ThreadPoolExecutor(workers, thread_name_prefix="lstmlab"))
        return Scheduler(recorders, executor, workers, hooks, size=size).execute()


def default_workers() -> int:
    """One worker per core that this process may use, or per accelerator."""
    if jax.default_backend() != "cpu":
        return jax.local_device_count()
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


class _ProgressBar(Hooks):
    """A progress bar in front of other hooks."""

    def __init__(self, configs: Sequence[Config], labels: Sequence[str], hooks: Hooks) -> None:
        self.labels, self.hooks = labels, hooks
        self.left = [config.training.steps for config in configs]
        self.bar = SweepProgress(len(configs), sum(self.left))

    def on_start(self, index: int) -> None:
        self.hooks.on_start(index)

    def on_advance(self, index: int, steps: int) -> None:
        self.left[index] -= steps
        self.bar.advance(steps)
        self.hooks.on_advance(index, steps)

    def on_end(self, index: int, outcome: Outcome) -> None:
        if outcome.summary is None:
            self.bar.job_failed()
        else:
            self.bar.finished(self.labels[index], outcome.summary)
        # Steps that are not taken any more: it has failed, or stopped early.
        self.bar.advance(self.left[index])
        self.hooks.on_end(index, outcome)


def _check(
    configs: Sequence[Config], paths: Sequence[Path], strategy: str, workers: int | None, max_members: int | None
) -> None:
    if strategy not in STRATEGIES:
        raise ConfigError(f"strategy is '{strategy}', but must be one of: {', '.join(STRATEGIES)}")
    for name, value in (("workers", workers), ("max_members", max_members)):
        if value is not None and value < 1:
            raise ConfigError(f"{name} is {value}, but must be at least 1")
    if len(paths) != len(configs):
        raise ConfigError(f"{len(configs)} configurations need as many directories, but {len(paths)} were given")
    if any(config.training.distributed for config in configs):
        raise ConfigError("training.distributed=true is for one run at a time: start each on its own, without a sweep")
    seen: set[Path] = set()
    for path in paths:
        if path in seen:
            raise ConfigError(f"two runs would share the directory {path}")
        seen.add(path)
