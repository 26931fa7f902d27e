"""The host's side of one run: its directory, its rows, its checkpoints, its end."""

from __future__ import annotations

import contextlib
import math
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from lstmlab.config import Config, save_config, split_traced, to_tree
from lstmlab.tracking.files import SUMMARY
from lstmlab.tracking.plain import from_plain, to_plain
from lstmlab.tracking.progress import Progress
from lstmlab.tracking.tracker import Tracker, open_tracker
from lstmlab.tracking.wandb_sink import WandbSettings
from lstmlab.training.checkpoint import Checkpoints
from lstmlab.training.engine import RunState, StepLog
from lstmlab.training.optimizer import learning_rate_factor
from lstmlab.training.results import plot, summarise
from lstmlab.training.trained import KEPT_FILE, MODEL_FILE, Trained

CONFIG_FILE = "config.yaml"


class RunFailed(RuntimeError):
    """A run that cannot go on, such as one whose loss is no longer finite. The message is one line."""


class Piece(NamedTuple):
    """What one compiled call did for one member."""

    step: int
    """steps taken since the run began"""
    count: int
    """of which in this call"""
    log: StepLog | None
    metrics: dict[str, float] | None
    """on validation, where an evaluation was due"""
    best_step: int | None
    """the step of the best evaluation so far, where one was due"""
    test: dict[str, float] | None
    """metrics of the best model, when the run is over"""
    seconds: dict[str, float]
    """this member's share of the time for training, compiling, evaluating"""
    state: RunState | None
    """where it may be needed"""
    members: int
    """how many shared the call"""
    placement: str = "device"
    """where the training split is kept"""
    position: dict[str, Any] | None = None
    """of the stream, where it is streamed"""


class MemberRun:
    """One run, whoever computes it.

    Attributes:
        member: its traced values.
        step: the step it stands at, of its checkpoint when it is resumed.
        restored: the state of that checkpoint, until it is taken.
        position: of the stream of batches, where that checkpoint holds one.
    """

    def __init__(self, config: Config, directory: Path, *, group: str | None, progress: bool) -> None:
        self.config, self.directory, self.group, self.show_progress = config, directory, group, progress
        self.task = config.task
        _, self.member = split_traced(config)
        self.step = 0
        self.restored: RunState | None = None
        self.seconds = {"train": 0.0, "compile": 0.0, "evaluate": 0.0}
        self.solved: dict[str, float] = {}
        self.validation: dict[str, float] = {}
        self.position: dict[str, Any] | None = None
        self.members, self.placement = 1, "device"
        self._open = contextlib.ExitStack()
        self._tracker: Tracker

    def open(self, template: Any) -> None:
        """Prepare the directory; ``template`` is the form of a state."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as stack:
            self._checkpoints = Checkpoints(self.directory, start_over=not self.config.resume)
            stack.callback(self._checkpoints.close)
            latest = self._checkpoints.latest_step
            if latest is None:
                # What an earlier run left here must not pass for this one's results.
                for name in (SUMMARY, MODEL_FILE, KEPT_FILE):
                    (self.directory / name).unlink(missing_ok=True)
            save_config(to_tree(self.config), self.directory / CONFIG_FILE)
            self._tracker = stack.enter_context(self._open_tracker(latest))
            if latest is not None:
                self._restore(template)
            self._open = stack.pop_all()

    def record(self, piece: Piece) -> Trained | None:
        """Log a piece of work; the trained model when it was the last.

        Raises ``RunFailed`` when the loss is no longer finite.
        """
        self.step, self.members, self.placement = piece.step, piece.members, piece.placement
        for name, value in piece.seconds.items():
            self.seconds[name] += value
        if piece.log is not None:
            row = self._train_row(piece.log, piece)
            self._stop_if_not_finite(row, piece.log)
            if piece.metrics is not None:
                row |= {f"validation/{name}": value for name, value in piece.metrics.items()}
                self._note_solved(piece.metrics[self.task.metric])
                if not self.validation or piece.best_step == piece.step:
                    self.validation = piece.metrics
            self._tracker.log(piece.step, row)
            if piece.metrics is not None or self.saves(piece.step):
                self._save(piece)
            if piece.metrics is not None and self._wants_illustration(piece.step):
                assert piece.state is not None
                plot(self._trained(piece.state.model), self._tracker, piece.step)
        return None if piece.test is None else self._conclude(piece)

    def is_over(self, step: int, best_step: int) -> bool:
        """Whether all steps are done, or patience is at its end."""
        training = self.config.training
        waited = (step - best_step) // training.eval_every
        return step >= training.steps or (bool(training.patience) and step > 0 and waited >= training.patience)

    def saves(self, step: int) -> bool:
        """Whether a checkpoint is due besides those of evaluations."""
        every = self.config.training.checkpoint_every
        return bool(every) and step % every == 0

    def abandon(self, error: BaseException) -> None:
        """Close everything after an error, which the run's summary keeps; does nothing after the end."""
        self._open.__exit__(type(error), error, error.__traceback__)

    def _conclude(self, piece: Piece) -> Trained:
        """Show what the best model does, and write the summary."""
        assert piece.state is not None and piece.test is not None
        trained = self._trained(jax.tree.map(jnp.asarray, piece.state.best_model))
        trained.save()
        plot(trained, self._tracker, self.step)
        splits = {"validation": self.validation, "test": piece.test | self.task.final_metrics(trained)}
        summary = summarise(self.config, piece.state, splits, self.seconds, self.solved)
        summary |= {"members": self.members, "data_placement": self.placement}
        trained.summary = {"status": "finished", **summary}
        self._tracker.finish(summary)
        self._open.close()
        return trained

    def _restore(self, template: Any) -> None:
        try:
            state, host = self._checkpoints.restore(template)
        except ValueError as error:
            raise RunFailed(f"{self.directory}: {error}") from None
        self.seconds["train"], self.solved = host["train_seconds"], host["solved"]
        self.validation = from_plain(host["validation"])
        self.restored, self.step, self.position = state, int(state.step), host.get("stream")

    def _save(self, piece: Piece) -> None:
        host = {
            "train_seconds": self.seconds["train"], "solved": self.solved, "validation": to_plain(self.validation),
            "stream": piece.position,
        }  # fmt: skip
        self._checkpoints.save(self.step, piece.state, host)

    def _train_row(self, log: StepLog, piece: Piece) -> dict[str, float]:
        factor = learning_rate_factor(self.config.schedule, self.config.training.steps)
        return {
            "train/loss": float(np.mean(log.loss)),
            "train/gradient_norm": float(np.mean(log.gradient_norm)),
            "train/learning_rate": self.config.optimizer.learning_rate * float(factor(piece.step - 1)),
            "time/steps_per_second": piece.count / piece.seconds["train"],
        }

    def _stop_if_not_finite(self, row: dict[str, float], log: StepLog) -> None:
        bad = ~(np.isfinite(log.loss) & np.isfinite(log.gradient_norm))
        if not bad.any():
            return
        first = int(np.argmax(bad))
        self._tracker.log(self.step, row)
        loss = float(log.loss[first])
        raise RunFailed(
            f"the {'gradient' if math.isfinite(loss) else 'loss'} stopped being finite at step "
            f"{self.step - len(bad) + first + 1}: lower optimizer.learning_rate "
            f"(now {self.config.optimizer.learning_rate:g}) or set optimizer.clip_norm "
            f"(now {self.config.optimizer.clip_norm:g}); logged rows are in {self.directory}"
        )

    def _wants_illustration(self, step: int) -> bool:
        """Whether to show the model now; the best one is shown at the end in any case."""
        every, training = self.config.training.illustrate_every, self.config.training
        return bool(every) and step < training.steps and (step // training.eval_every) % every == 0

    def _note_solved(self, value: float) -> None:
        threshold = self.task.solved
        if threshold is None or self.solved:
            return
        if value <= threshold if self.task.goal == "min" else value >= threshold:
            self.solved = {"step": self.step, "seconds": self.seconds["train"]}

    def _open_tracker(self, resume_step: int | None) -> Tracker:
        wandb, title = self.config.wandb, run_name(self.config)
        settings = WandbSettings(
            mode=wandb.mode, project=wandb.project, entity=wandb.entity, name=title,
            group=wandb.group or self.group, tags=list(wandb.tags), job_type="train",
        )  # fmt: skip
        bar = Progress(
            title, self.config.training.steps,
            metric=f"validation/{self.task.metric}", start=resume_step or 0,
        ) if self.show_progress else None  # fmt: skip
        return open_tracker(
            self.directory, wandb=settings, config=to_tree(self.config),
            progress=bar, resume_step=resume_step,
        )  # fmt: skip

    def _trained(self, model: Any) -> Trained:
        return Trained(model, self.config, self.directory, {})


def run_name(config: Config) -> str:
    """The run's name: as configured, or cell, task and seed."""
    return config.name or f"{config.cell.name} · {config.task.name} · seed {config.seed}"
