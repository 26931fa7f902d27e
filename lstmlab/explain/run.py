"""From a run directory to what all diagnostics say about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import jax

from lstmlab.config import ConfigError
from lstmlab.explain.checkpoints import Checkpoint, checkpoints
from lstmlab.explain.diagnostics import DIAGNOSTICS
from lstmlab.explain.findings import Placed, RunFindings
from lstmlab.explain.material import JACOBIAN_EXAMPLES, Material, Refusal, in_double, sequences, split_of
from lstmlab.tasks import Batch, Task
from lstmlab.training import Trained, load
from lstmlab.training.functions import dropout_rates

Say = Callable[[str], None]


def check_names(names: Sequence[str]) -> tuple[str, ...]:
    """The diagnostics of these names, all of them for none; raises ``ConfigError`` for an unknown one."""
    for name in names:
        if name not in DIAGNOSTICS:
            raise ConfigError(f"--only: there is no diagnostic '{name}', but: {', '.join(DIAGNOSTICS)}")
    return tuple(name for name in DIAGNOSTICS if not names or name in names)


class Explainer:
    """Explains runs one after the other; runs of one task and cell share compiled programs.

    Args:
        names: of the diagnostics; all of them if there are none.
        say: takes the lines that say what cannot be given.
        progress: takes a line before each diagnostic of each checkpoint.

    Raises:
        ConfigError: for the name of no diagnostic.
    """

    def __init__(self, names: Sequence[str] = (), say: Say = print, progress: Say = print) -> None:
        self.names, self._say, self._progress = check_names(names), say, progress
        self._tasks: list[Task] = []

    def explain(self, directory: Path) -> RunFindings:
        """All findings about a finished run.

        Raises ``ConfigError`` and ``RunError`` that name a file that is missing or cannot be read.
        """
        trained = load(directory)
        task = self._shared(trained.task)
        batch = sequences(trained.config, trained.model, task)
        found = RunFindings(_about(trained), _settings(trained, batch))
        for note in _notes(trained):
            found.refuse("all", note)
            self._say(f"  {note}")
        with jax.enable_x64(True):
            double = in_double(batch)
            for checkpoint in checkpoints(trained):
                found.checkpoints.append({"name": checkpoint.name, "step": checkpoint.step})
                material = Material(trained.config, task, in_double(checkpoint.model), double, checkpoint.final)
                self._explain_checkpoint(checkpoint, material, found)
        return found

    def _explain_checkpoint(self, checkpoint: Checkpoint, material: Material, found: RunFindings) -> None:
        for name in self.names:
            self._progress(f"  {checkpoint.name}: {name}")
            for one in DIAGNOSTICS[name](material):
                if not isinstance(one, Refusal):
                    layer, finding = one
                    found.findings.append(Placed(name, checkpoint.name, checkpoint.step, layer, finding))
                elif found.refuse(name, one.reason):
                    self._say(f"  {name}: {one.reason}")

    def _shared(self, task: Task) -> Task:
        """The first task that was equal to this one, so that data are loaded once."""
        for known in self._tasks:
            if known == task and known.artifacts() == task.artifacts():
                return known
        if task in self._tasks:  # the same options, but other data: compiled programs must not be shared
            jax.clear_caches()
        self._tasks.append(task)
        return task


def _about(trained: Trained) -> dict[str, Any]:
    summary, config = trained.summary, trained.config
    return {
        "directory": trained.directory.as_posix(), "cell": config.cell.name, "task": trained.task.name,
        "seed": int(config.seed), "hidden_size": config.model.hidden_size, "layers": config.model.layers,
        "metric": summary["metric"], "value": summary["value"], "best_step": summary["best_step"],
        "steps": summary["steps"],
    }  # fmt: skip


def _settings(trained: Trained, batch: Batch) -> dict[str, Any]:
    rows, *steps = jax.tree.leaves(batch.inputs)[0].shape[:2]
    return {
        "split": split_of(trained.config), "sequences": rows, "jacobian_sequences": min(JACOBIAN_EXAMPLES, rows),
        "steps": steps[0],
    }  # fmt: skip


def _notes(trained: Trained) -> Iterator[str]:
    """What a reader has to know about this run's findings."""
    if dropout_rates(trained.config).zoneout is not None:
        yield "the cell is explained without the run's zoneout"
    if trained.config.model.bidirectional:
        yield "of the two directions the forward one is explained"
    if trained.config.model.dtype != "float32":
        yield f"products are computed in {trained.config.model.dtype}, as in the run: small numbers are rounded"
