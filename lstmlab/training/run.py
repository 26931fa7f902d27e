"""One run from configuration to results: the loop on the host around the compiled functions."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import jax
import numpy as np

from lstmlab.config import Config, ConfigError, read_config, save_config, split_traced, to_tree
from lstmlab.tracking.files import SUMMARY, read_summary
from lstmlab.tracking.progress import Progress
from lstmlab.tracking.tracker import Tracker, open_tracker
from lstmlab.tracking.wandb_sink import WandbSettings
from lstmlab.training.checkpoint import Checkpoints
from lstmlab.training.engine import Engine, RunState, StepLog
from lstmlab.training.environment import use_compilation_cache
from lstmlab.training.interrupt import interrupts_at_safe_points
from lstmlab.training.optimizer import learning_rate_factor
from lstmlab.training.results import illustrate, summarise
from lstmlab.training.trained import MODEL_FILE, Trained, load

CONFIG_FILE = "config.yaml"
# Keys that may differ between a run and its continuation.
_FREE_ON_RESUME = ("resume", "name", "wandb", "data")


class RunFailed(RuntimeError):
    """A run that cannot go on, such as one whose loss is no longer finite. The message is one line."""


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
            that has finished is loaded instead of run again.
        progress: show a progress bar on standard error, and a line at the end.
        group: W&B group when the configuration names none.

    Raises:
        ConfigError: when parts of the configuration do not fit, or differ from the run to be continued.
        RunFailed: when the loss stops being finite; what was logged is kept.
    """
    directory = Path(directory)
    if config.training.compilation_cache:
        use_compilation_cache()
    if config.resume and (done := _finished(config, directory)):
        return done
    return _Run(config, directory, progress, group).execute()


class _Run:
    """The host's side of one run."""

    def __init__(self, config: Config, directory: Path, progress: bool, group: str | None) -> None:
        self.config, self.directory, self.group = config, directory, group
        self.static, self.member = split_traced(config)
        self.engine, self.task = Engine(self.static), config.task
        self.show_progress = progress
        self.seconds = {"train": 0.0, "compile": 0.0, "evaluate": 0.0}
        self.solved: dict[str, float] = {}
        try:
            self.template = jax.eval_shape(self.engine.init, self.member)
            self.data = self.task.data()
            batch = partial(self.task.train_batch, batch_size=config.training.batch_size)
            jax.eval_shape(batch, self.data["train"], jax.random.key(0), 0)
        except ValueError as error:
            raise ConfigError(str(error)) from None

    def execute(self) -> Trained:
        """Everything, with the tracker closed properly whatever happens."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.checkpoints = Checkpoints(self.directory, start_over=not self.config.resume)
        step = self.checkpoints.latest_step
        if step is None:
            # What an earlier run left here must not pass for this one's results.
            for name in (SUMMARY, MODEL_FILE):
                (self.directory / name).unlink(missing_ok=True)
        save_config(to_tree(self.config), self.directory / CONFIG_FILE)
        with self._open_tracker(step) as tracker, interrupts_at_safe_points() as interrupt:
            try:
                return self._loop(tracker, interrupt)
            finally:
                self.checkpoints.close()

    def _loop(self, tracker: Tracker, interrupt: Callable[[], None]) -> Trained:
        training = self.config.training
        data = jax.device_put(self.data)
        state = self._first_state()
        advance, assess = self._compile(state, data)
        step = int(state.step)
        while step < training.steps and not self._out_of_patience(state, step):
            count = min(training.log_every, training.steps - step)
            started = time.perf_counter()
            state, log = advance(count)(state, self.member, data["train"])
            log = jax.device_get(log)
            elapsed = time.perf_counter() - started
            self.seconds["train"] += elapsed
            row = self._train_row(log, step, count, elapsed)
            step += count
            self._stop_if_not_finite(tracker, row, log, step - count)
            evaluated = step % training.eval_every == 0 or step == training.steps
            if evaluated:
                state, metrics = self._timed("evaluate", assess, state, self.member, data["validation"])
                row |= {f"validation/{name}": float(value) for name, value in metrics.items()}
                self._note_solved(float(metrics[self.task.metric]), step)
            tracker.log(step, row)
            if evaluated or (training.checkpoint_every and step % training.checkpoint_every == 0):
                self._save(state, step)
            if evaluated and self._wants_illustration(step):
                illustrate(self._trained(state.model, {}), tracker, step)
            interrupt()
        return self._conclude(tracker, state, data)

    def _conclude(self, tracker: Tracker, state: RunState, data: Any) -> Trained:
        """Test with the best model, show what it does, write the summary."""
        best = state.best_model
        splits = {}
        for split in ("validation", "test"):
            evaluate = jax.jit(self.engine.evaluate, static_argnames="split")
            metrics = self._timed("evaluate", evaluate, best, self.member, data[split], split=split)
            splits[split] = {name: float(value) for name, value in metrics.items()}
        step = int(state.step)
        trained = self._trained(best, {})
        trained.save()
        illustrate(trained, tracker, step)
        summary = summarise(self.config, state, splits, self.seconds, self.solved)
        trained.summary = {"status": "finished", **summary}
        tracker.finish(summary)
        return trained

    def _compile(self, state: RunState, data: Any) -> tuple[Callable[[int], Any], Any]:
        """Compile before the clock of training starts; a last, shorter call compiles when it comes."""
        jitted = jax.jit(self.engine.advance, static_argnums=3, donate_argnums=0)
        compiled: dict[int, Any] = {}

        def advance(count: int) -> Any:
            if count not in compiled:
                lowered = lambda: jitted.lower(state, self.member, data["train"], count).compile()  # noqa: E731
                compiled[count] = self._timed("compile", lowered)
            return compiled[count]

        advance(min(self.config.training.log_every, self.config.training.steps))
        assess = jax.jit(self.engine.assess)
        lowered = lambda: assess.lower(state, self.member, data["validation"]).compile()  # noqa: E731
        return advance, self._timed("compile", lowered)

    def _first_state(self) -> RunState:
        if self.checkpoints.latest_step is None:
            return self._timed("compile", jax.jit(self.engine.init), self.member)
        try:
            state, host = self.checkpoints.restore(self.template)
        except ValueError as error:
            raise RunFailed(f"{self.directory}: {error}") from None
        self.seconds["train"], self.solved = host["train_seconds"], host["solved"]
        return state

    def _save(self, state: RunState, step: int) -> None:
        host = {"train_seconds": self.seconds["train"], "solved": self.solved}
        self.checkpoints.save(step, state, host)

    def _timed(self, what: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        started = time.perf_counter()
        result = jax.block_until_ready(function(*args, **kwargs))
        self.seconds[what] += time.perf_counter() - started
        return result

    def _train_row(self, log: StepLog, step: int, count: int, elapsed: float) -> dict[str, float]:
        factor = learning_rate_factor(self.config.schedule, self.config.training.steps)
        return {
            "train/loss": float(np.mean(log.loss)),
            "train/gradient_norm": float(np.mean(log.gradient_norm)),
            "train/learning_rate": self.config.optimizer.learning_rate * float(factor(step + count - 1)),
            "time/steps_per_second": count / elapsed,
        }

    def _stop_if_not_finite(self, tracker: Tracker, row: dict[str, float], log: StepLog, before: int) -> None:
        bad = ~(np.isfinite(log.loss) & np.isfinite(log.gradient_norm))
        if not bad.any():
            return
        first = int(np.argmax(bad))
        tracker.log(before + len(bad), row)
        loss = float(log.loss[first])
        raise RunFailed(
            f"the {'gradient' if math.isfinite(loss) else 'loss'} stopped being finite at step "
            f"{before + first + 1}: lower optimizer.learning_rate (now {self.config.optimizer.learning_rate:g}) or "
            f"set optimizer.clip_norm (now {self.config.optimizer.clip_norm:g}); logged rows are in {self.directory}"
        )

    def _wants_illustration(self, step: int) -> bool:
        """Whether to show the model now; the best one is shown at the end in any case."""
        every, training = self.config.training.illustrate_every, self.config.training
        return bool(every) and step < training.steps and (step // training.eval_every) % every == 0

    def _out_of_patience(self, state: RunState, step: int) -> bool:
        training = self.config.training
        waited = (step - int(state.best_step)) // training.eval_every
        return bool(training.patience) and step > 0 and waited >= training.patience

    def _note_solved(self, value: float, step: int) -> None:
        threshold = self.task.solved
        if threshold is None or self.solved:
            return
        if value <= threshold if self.task.goal == "min" else value >= threshold:
            self.solved = {"step": step, "seconds": self.seconds["train"]}

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

    def _trained(self, model: Any, summary: dict[str, Any]) -> Trained:
        return Trained(model, self.config, self.directory, summary)


def run_name(config: Config) -> str:
    """The run's name: as configured, or cell, task and seed."""
    return config.name or f"{config.cell.name} · {config.task.name} · seed {config.seed}"


def _finished(config: Config, directory: Path) -> Trained | None:
    """The run of this directory if it has finished; checks that it is a run of the same configuration."""
    if not (directory / CONFIG_FILE).exists():
        return None
    before, now = _by_key(read_config(directory / CONFIG_FILE)), _by_key(config)
    other = [key for key in before | now if before.get(key) != now.get(key)]
    if other:
        held = ", ".join(f"{key}={before.get(key)} (now {now.get(key)})" for key in other)
        raise ConfigError(f"resume=true: {directory} holds a run with {held}; give the same keys, or another directory")
    if not (directory / SUMMARY).exists():
        return None
    return load(directory) if read_summary(directory)["status"] == "finished" else None


def _by_key(config: Config) -> dict[str, Any]:
    """The keys on which a run and its continuation must agree, dotted."""
    sections = {name: part for name, part in to_tree(config).items() if name not in _FREE_ON_RESUME}
    flat = {f"{name}.{key}": v for name, part in sections.items() if isinstance(part, dict) for key, v in part.items()}
    return flat | {name: part for name, part in sections.items() if not isinstance(part, dict)}
