"""One run from configuration to results."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from lstmlab.config import Config
from lstmlab.training.budget import size_for_budget
from lstmlab.training.compiled import CompiledRun
from lstmlab.training.distributed import join_hosts
from lstmlab.training.distributed_recorder import make_recorder
from lstmlab.training.environment import use_compilation_cache
from lstmlab.training.interrupts import interrupts_at_safe_points
from lstmlab.training.trained import Trained
from lstmlab.training.trainer import Trainer


def train(
    config: Config,
    directory: str | Path,
    *,
    progress: bool = True,
    group: str | None = None,
) -> Trained:
    """Train, evaluate on the test split with the best model, and write everything to a run directory.

    With ``training.test=false`` the test split is left alone: the results are those of the validation split.

    >>> from lstmlab import compose, train
    >>> config = compose(["task=adding", "task.length=10", "training.steps=100"])
    >>> trained = train(config, "outputs/example")  # doctest: +SKIP
    >>> trained.summary["test"]["mse"]  # doctest: +SKIP

    Args:
        config: what to run, from :func:`lstmlab.compose`.
        directory: the run directory; made where needed. With ``config.resume`` a run in it is continued, and one
            that has finished is loaded instead of run again. With ``training.distributed`` the main process's
            directory counts, and the others write nothing.
        progress: show a progress bar on standard error, and a line at the end.
        group: W&B group when the configuration names none.

    Raises:
        ConfigError: when parts of the configuration do not fit, or differ from the run to be continued.
        RunFailed: when the loss stops being finite; what was logged is kept.
    """
    join_hosts(config)
    if config.training.compilation_cache:
        use_compilation_cache()
    config = size_for_budget(config)
    recorder = make_recorder(config, Path(directory), group=group, progress=progress)
    if recorder.finished():
        return recorder.load()
    with (
        interrupts_at_safe_points() as signals,
        recorder.opened(CompiledRun(config)) as compiled,
        closing(Trainer(compiled, recorder.values, recorder.step, recorder.position)) as trainer,
    ):
        state = trainer.start(recorder.take_restored())
        while not trainer.is_over(state.best_step):
            state, chunk = trainer.advance(state)
            if trainer.validation_due:
                state, chunk = trainer.validate(state, chunk)
            recorder.record(chunk)
            stopping = signals.requested()
            if stopping or recorder.needs_state(chunk):
                recorder.checkpoint(trainer.local(state), chunk, due=stopping)
                recorder.plot(trainer.local(state), chunk)
            if stopping:
                signals.stop()
        test, seconds = trainer.test(state)
        return recorder.finish(trainer.local(state), test, seconds)
