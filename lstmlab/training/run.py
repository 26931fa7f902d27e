"""One run from configuration to results."""

from __future__ import annotations

import contextlib
from functools import partial
from pathlib import Path

import jax

from lstmlab.config import Config
from lstmlab.training.budget import spend_budget
from lstmlab.training.chunk import advance, validate, validation_due
from lstmlab.training.compiled import CompiledRun
from lstmlab.training.distributed import join_hosts, on_main_process
from lstmlab.training.distributed_recorder import DistributedRecorder
from lstmlab.training.environment import use_compilation_cache
from lstmlab.training.interrupts import interrupts_at_safe_points
from lstmlab.training.recorder import Recorder
from lstmlab.training.resume import finished_summary
from lstmlab.training.timer import Timer
from lstmlab.training.trained import Trained


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
    config = spend_budget(config)
    kind = DistributedRecorder if jax.process_count() > 1 else Recorder
    recorder = kind(config, Path(directory), group=group, progress=progress)
    if config.resume and on_main_process(partial(finished_summary, config, recorder.directory)):
        return recorder.load()
    with interrupts_at_safe_points() as stop_if_interrupted:
        compiled, timer = CompiledRun(config), Timer()
        with recorder.opened(compiled):
            values = jax.device_put(recorder.values, compiled.placement)
            state = compiled.start(values, recorder.take_restored(), timer)
            with contextlib.closing(compiled.training_data(recorder.values, recorder.step, recorder.position)) as data:
                while not recorder.is_over(recorder.step, state.best_step):
                    state, chunk = advance(compiled, values, state, data, recorder.step, timer)
                    if validation_due(config.training, chunk.step):
                        state, chunk = validate(compiled, values, state, chunk, timer)
                    recorder.record(chunk)
                    if recorder.needs_state(chunk):
                        recorder.checkpoint(compiled.local(state), chunk)
                        recorder.plot(compiled.local(state), chunk)
                    stop_if_interrupted()
            test = compiled.evaluate(values, state.best_model, compiled.data("test"), timer)
            return recorder.finish(compiled.local(state), jax.device_get(test), timer.lap())
