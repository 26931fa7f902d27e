"""The files of one run: its directory, rows of metrics, checkpoints, plots and summary."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lstmlab.config import Config, save_config, split_traced, to_tree
from lstmlab.tracking.checksums import CONFIG_FILE
from lstmlab.tracking.disk import directory_gone, disk_full
from lstmlab.tracking.files import SUMMARY, RunError, read_metrics
from lstmlab.tracking.locks import owned
from lstmlab.tracking.plain import from_plain, one_line, to_plain
from lstmlab.tracking.progress import Progress
from lstmlab.tracking.tracker import Tracker, open_tracker
from lstmlab.tracking.wandb_settings import wandb_settings
from lstmlab.tracking.written import begin_list, remove_leftovers
from lstmlab.training.checkpoint import Checkpoints
from lstmlab.training.chunk import Chunk
from lstmlab.training.compiled import CompiledRun
from lstmlab.training.earlier_run import check_free
from lstmlab.training.finished_run import check_rows, finished_summary
from lstmlab.training.functions import RunState
from lstmlab.training.optimisation import OptimisationRows
from lstmlab.training.summary import metric_goals, show_plots, summarise
from lstmlab.training.timer import Seconds, no_seconds
from lstmlab.training.trained import ARTIFACTS_FILE, MODEL_FILE, Trained, load


class RunFailed(RuntimeError):
    """A run that cannot go on, such as one whose loss is no longer finite. The message is one line."""


class Recorder:
    """Writes everything that a run leaves behind; the same for a run alone and for a member of a population.

    Attributes:
        values: the run's traced values.
        step: optimiser steps done; of the checkpoint when the run is resumed.
        restored: the state of that checkpoint; ``None`` after :meth:`take_restored`.
        position: the position in the stream of batches, where that checkpoint holds one.
    """

    def __init__(self, config: Config, directory: Path, *, group: str | None = None, progress: bool = False) -> None:
        self.config, self.directory, self.group, self.show_progress = config, directory, group, progress
        self.task = config.task
        _, self.values = split_traced(config)
        self.step = 0
        self.restored: RunState | None = None
        self.position: dict[str, Any] | None = None
        self.seconds: Seconds = no_seconds()
        self.solved: dict[str, float] = {}
        self.validation: dict[str, float] = {}
        self.data_placement = "device"
        self.data_hash: str | None = None
        self._optimisation = OptimisationRows(config.optimizer.clip_norm)
        self._resources, self._opened = contextlib.ExitStack(), False
        self._tracker: Tracker

    def finished(self) -> dict[str, Any] | None:
        """The summary of the run to be resumed, if it has finished already.

        Raises ``ConfigError`` when the directory holds a run of another configuration.
        """
        return finished_summary(self.config, self.directory) if self.config.resume else None

    @contextlib.contextmanager
    def opened(self, compiled: CompiledRun) -> Iterator[CompiledRun]:
        """:meth:`open`, and :meth:`abandon` where the block raises; the error is :meth:`explained`."""
        try:
            self.open(compiled)
            yield compiled
        except BaseException as error:
            explained = self.explained(error)
            self.abandon(explained or error)
            if explained:
                raise explained from None
            raise

    def explained(self, error: BaseException) -> RunError | None:
        """What is to be told in place of an error: that the disk is full, or that the directory has gone."""
        return disk_full(error, self.directory) or (directory_gone(error, self.directory) if self._opened else None)

    def open(self, compiled: CompiledRun) -> None:
        """Prepare the directory; restore the newest checkpoint where the run is resumed."""
        self.data_placement, self.data_hash = compiled.data_placement, compiled.data_hash
        with contextlib.ExitStack() as stack:
            stack.enter_context(owned(self.directory))
            check_free(self.directory)
            remove_leftovers(self.directory)
            self._checkpoints = Checkpoints(self.directory, start_over=not self.config.resume)
            stack.callback(self._checkpoints.close)
            latest = self._checkpoints.latest_step
            if latest is not None:
                check_rows(self.config, self.directory, latest)
            if latest is None:
                # Results left by an earlier run must not be taken for this one's.
                for name in (SUMMARY, MODEL_FILE, ARTIFACTS_FILE):
                    (self.directory / name).unlink(missing_ok=True)
            save_config(to_tree(self.config), self.directory / CONFIG_FILE)
            self._tracker = stack.enter_context(self._open_tracker(latest))
            if latest is None:
                begin_list(self.directory)
            if latest is not None:
                self._restore(compiled.template)
            self._resources, self._opened = stack.pop_all(), True

    def take_restored(self) -> RunState | None:
        """The restored state, which is kept no longer."""
        state, self.restored = self.restored, None
        return state

    def record(self, chunk: Chunk) -> None:
        """Write a row of metrics. Raises ``RunFailed`` when loss or gradient are no longer finite."""
        self.step, self.position = chunk.step, chunk.position
        self._add_seconds(chunk.seconds)
        row = chunk.row()
        if chunk.log.optimisation is not None:
            row |= self._optimisation.row(chunk.log.optimisation, np.asarray(chunk.log.gradient_norm))
        if not chunk.finite.all():
            self._tracker.log(self.step, row)
            raise RunFailed(self._not_finite(chunk))
        if chunk.validation is not None:
            row |= {f"validation/{name}": float(value) for name, value in chunk.validation.items()}
            self._note_validation(chunk)
        self._tracker.log(self.step, row)

    def checkpoint(self, state: RunState, chunk: Chunk | None, *, due: bool = False) -> None:
        """Save the state where a checkpoint is due: after this chunk, or because ``due`` says so."""
        if not due and (chunk is None or not self.needs_state(chunk)):
            return
        host = {
            "train_seconds": self.seconds["train"], "solved": self.solved, "validation": to_plain(self.validation),
            "stream": self.position,
        }  # fmt: skip
        self._checkpoints.save(self.step, state, host)

    def plot(self, state: RunState, chunk: Chunk) -> None:
        """Show what the model does, where ``training.illustrate_every`` asks for it before the end of the run."""
        training = self.config.training
        every, evaluations = training.illustrate_every, self.step // training.eval_every
        due = bool(every) and training.test and self.step < training.steps and evaluations % every == 0
        if chunk.validation is None or not due:
            return
        show_plots(self._trained(state.model), self._tracker, self.step)

    def needs_state(self, chunk: Chunk) -> bool:
        """Whether :meth:`checkpoint` and :meth:`plot` read the state after this chunk."""
        every = self.config.training.checkpoint_every
        return chunk.validation is not None or (bool(every) and chunk.step % every == 0)

    def finish(self, state: RunState, test: dict[str, Any], seconds: Seconds, *, members: int = 1) -> Trained:
        """Write the best model, its plots and the summary; ``test`` are its metrics on the test split.

        With ``training.test=false`` there are none, and no plots.
        """
        self._add_seconds(seconds)
        trained = self._trained(jax.tree.map(jnp.asarray, state.best_model))
        trained.save()
        splits = {"validation": self.validation}
        if self.config.training.test:
            show_plots(trained, self._tracker, self.step)
            metrics = {name: float(value) for name, value in test.items()}
            splits["test"] = metrics | self.task.final_metrics(trained)
        summary = summarise(self.config, state, splits, self.seconds, self.solved)
        summary |= {"members": members, "data_placement": self.data_placement, "data_hash": self.data_hash}
        trained.summary = {"status": "finished", **summary}
        self._tracker.finish(summary)
        self._resources.close()
        return trained

    def abandon(self, error: BaseException) -> None:
        """Close everything after an error, which the summary keeps; does nothing after :meth:`finish`."""
        self._resources.__exit__(type(error), error, error.__traceback__)

    def load(self) -> Trained:
        """The finished run of the directory."""
        return load(self.directory)

    def _note_validation(self, chunk: Chunk) -> None:
        assert chunk.validation is not None
        metrics = {name: float(value) for name, value in chunk.validation.items()}
        if not self.validation or chunk.best_step == chunk.step:
            self.validation = metrics
        value, threshold = metrics[self.task.metric], self.task.solved
        if threshold is None or self.solved:
            return
        if value <= threshold if self.task.goal == "min" else value >= threshold:
            self.solved = {"step": self.step, "seconds": self.seconds["train"]}

    def _add_seconds(self, seconds: Seconds) -> None:
        for activity, more in seconds.items():
            self.seconds[activity] += more

    def _not_finite(self, chunk: Chunk) -> str:
        first = int(np.argmin(chunk.finite))
        what = "gradient" if math.isfinite(float(chunk.log.loss[first])) else "loss"
        optimizer = self.config.optimizer
        return (
            f"the {what} stopped being finite at step {self.step - chunk.count + first + 1}: lower "
            f"optimizer.learning_rate (now {optimizer.learning_rate:g}) or set optimizer.clip_norm "
            f"(now {optimizer.clip_norm:g}); logged rows are in {self.directory}"
        )

    def _restore(self, template: RunState) -> None:
        try:
            state, host = self._checkpoints.restore(template)
            self.seconds["train"], self.solved = host["train_seconds"], host["solved"]
            self.validation = from_plain(host["validation"])
        except Exception as error:  # of any kind: the library reads several formats
            where, why = self._checkpoints.newest, one_line(error)
            raise RunFailed(f"{where} cannot be read ({why}): remove it to go on from an earlier one") from None
        self.restored, self.step, self.position = state, int(state.step), host.get("stream")
        if self.config.tracking.optimisation:
            self._optimisation.replay(read_metrics(self.directory))

    def _open_tracker(self, resume_step: int | None) -> Tracker:
        title = run_name(self.config)
        settings = wandb_settings(self.config.wandb, name=title, group=self.group)
        settings.goals = metric_goals(self.task)
        bar = Progress(
            title, self.config.training.steps,
            metric=f"validation/{self.task.metric}", start=resume_step or 0,
        ) if self.show_progress else None  # fmt: skip
        return open_tracker(
            self.directory, wandb=settings, config=to_tree(self.config),
            tensorboard=self.config.tracking.tensorboard, progress=bar, resume_step=resume_step,
        )  # fmt: skip

    def _trained(self, model: Any) -> Trained:
        return Trained(model, self.config, self.directory, {})


def run_name(config: Config) -> str:
    """The run's name: as configured, or cell, task and seed."""
    return config.name or f"{config.cell.name} · {config.task.name} · seed {config.seed}"
