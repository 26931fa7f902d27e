"""One run from configuration to results."""

from __future__ import annotations

from pathlib import Path

import jax

from lstmlab.config import Config
from lstmlab.training.hosts import join_hosts
from lstmlab.training.member import MemberRun
from lstmlab.training.scheduler import Hooks, Inline, Scheduler
from lstmlab.training.shared_run import SharedRun
from lstmlab.training.trained import Trained, load


def train(
    config: Config,
    directory: str | Path,
    *,
    progress: bool = True,
    group: str | None = None,
) -> Trained:
    """Train, evaluate on the test split with the best model, and write everything to a run directory.

    >>> from lstmlab import compose, train
    >>> config = compose(["task=adding", "task.length=10", "training.steps=100"])
    >>> trained = train(config, "outputs/example")  # doctest: +SKIP
    >>> trained.summary["test"]["mse"]  # doctest: +SKIP

    Args:
        config: what to run, from :func:`lstmlab.compose`.
        directory: the run directory; made where needed. With ``config.resume`` a run in it is continued, and one
            that has finished is loaded instead of run again. With ``training.distributed`` it is the first process's
            directory that counts, and the others write nothing.
        progress: show a progress bar on standard error, and a line at the end.
        group: W&B group when the configuration names none.

    Raises:
        ConfigError: when parts of the configuration do not fit, or differ from the run to be continued.
        RunFailed: when the loss stops being finite; what was logged is kept.
    """
    join_hosts(config)
    kind = SharedRun if jax.process_count() > 1 else MemberRun
    run = kind(config, Path(directory), group=group, progress=progress)
    (outcome,) = Scheduler([run], Inline(), 1, Hooks()).execute()
    if outcome.error is not None:
        raise outcome.error
    if outcome.trained is not None:
        return outcome.trained
    return run.load() if isinstance(run, SharedRun) else load(directory)
