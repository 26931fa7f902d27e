"""The summary of a finished run, and the plots of what its model does."""

from __future__ import annotations

from typing import Any

import jax

from lstmlab.arrays import count
from lstmlab.config import Config
from lstmlab.models.parameter_groups import decayed, own_rates
from lstmlab.tasks import Task
from lstmlab.tasks.task import all_baselines, best_baseline
from lstmlab.tracking.tracker import Tracker
from lstmlab.tracking.written import note_written
from lstmlab.training.environment import describe_environment
from lstmlab.training.functions import RunState
from lstmlab.training.optimizer import DECAYING
from lstmlab.training.peak_memory import peak_memory
from lstmlab.training.timer import Seconds
from lstmlab.training.trained import Trained


def summarise(
    config: Config,
    state: RunState,
    splits: dict[str, dict[str, float]],
    seconds: Seconds,
    solved: dict[str, float],
) -> dict[str, Any]:
    """What ``summary.json`` says of the results; sizes count scalars, times are seconds, memory is bytes.

    Without a test split in ``splits`` nothing is said that needs it: neither test values nor baselines.
    """
    task, model = config.task, state.best_model
    steps = int(state.step)
    return {
        "cell": config.cell.name,
        "task": task.name,
        "seed": config.seed,
        "metric": task.metric,
        "goal": task.goal,
        **_on_test(task, splits.get("test")),
        "validation": splits["validation"],
        "reference_value": task.reference_value,
        "solved": None if task.solved is None else solved or False,
        "steps": steps,
        "best_step": int(state.best_step),
        "parameters": count(model),
        "state_size": model.state_size,
        "hidden_size": config.model.hidden_size,
        "block": config.model.block,
        "parameter_budget": config.model.parameter_budget or None,
        "weight_decay_parameters": decayed_count(config, model),
        "learning_rate_factors": own_rates(model),
        "backend": model.backend,
        "dtype": config.model.dtype,
        "seconds": seconds,
        "steps_per_second": steps / seconds["train"] if seconds["train"] else None,
        "peak_memory": peak_memory(),
        **describe_environment(),
    }


def _on_test(task: Task, test: dict[str, float] | None) -> dict[str, Any]:
    """The metrics of the test split beside the baselines; without them each entry is there, and empty."""
    if test is None:
        return {"value": None, "test": None, "baselines": {}, "beats_baseline": None}
    value, baselines = test[task.metric], all_baselines(task)
    _, best = best_baseline(baselines, task.goal)
    beats = value < best if task.goal == "min" else value > best
    return {"value": value, "test": test, "baselines": baselines, "beats_baseline": beats}


def metric_goals(task: Task) -> dict[str, str]:
    """``min`` or ``max`` by the name of a metric in rows, for those of which it is known which values are better."""
    losses = {f"{split}/loss": "min" for split in ("train", "validation", "test")}
    return losses | {f"{split}/{task.metric}": task.goal for split in ("validation", "test")}


def decayed_count(config: Config, model: Any) -> int:
    """Number of scalars on which weight decay acts."""
    optimizer = config.optimizer
    if optimizer.name not in DECAYING or not optimizer.weight_decay:
        return 0
    if optimizer.weight_decay_on == "all":
        return count(model)
    pairs = zip(jax.tree.leaves(model), jax.tree.leaves(decayed(model)), strict=True)
    return count([leaf for leaf, decays in pairs if decays])


def show_plots(trained: Trained, tracker: Tracker, step: int) -> None:
    """Log the task's plots of a model: texts, images, videos and files."""
    for item in trained.task.plot(trained):
        if item.text is not None:
            tracker.text(step, item.name, item.text)
        if item.picture is not None:
            tracker.image(step, item.name, item.picture)
        if item.frames is not None:
            tracker.video(step, item.name, item.frames)
        if item.draw is not None:
            path = trained.directory / "pictures" / f"{item.name}-{step:07d}.png"
            path.parent.mkdir(exist_ok=True)
            note_written(trained.directory, path)
            item.draw(path)
            tracker.image(step, item.name, path)
        if item.write is not None:
            # A file that no sink can show stays in the run directory.
            path = trained.directory / "samples" / f"{item.name}-{step:07d}{item.suffix}"
            path.parent.mkdir(exist_ok=True)
            note_written(trained.directory, path)
            item.write(path)
