"""The recorder of a run that several processes compute together: the main process writes, the others follow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lstmlab.config import Config
from lstmlab.training.chunk import Chunk
from lstmlab.training.compiled import CompiledRun
from lstmlab.training.distributed import is_main_process, on_main_process
from lstmlab.training.functions import RunState
from lstmlab.training.recorder import Recorder
from lstmlab.training.timer import Seconds
from lstmlab.training.trained import Trained, load, model_template


class DistributedRecorder(Recorder):
    """A recorder whose files belong to the main process. An error there is raised in every process."""

    def finished(self) -> dict[str, Any] | None:
        """The summary of the run to be resumed, if it has finished already; asked of the main process."""
        return on_main_process(super().finished)

    def open(self, compiled: CompiledRun) -> None:
        """Prepare the directory, and give a restored state to every process."""

        def prepare() -> tuple[int, list[np.ndarray] | None]:
            super(DistributedRecorder, self).open(compiled)
            return self.step, None if self.restored is None else _leaves(self.restored)

        self.step, leaves = on_main_process(prepare)
        structure = jax.tree.structure(compiled.template)
        self.restored = None if leaves is None else jax.tree.unflatten(structure, leaves)

    def record(self, chunk: Chunk) -> None:
        """Write a row of metrics, in the main process."""
        on_main_process(lambda: super(DistributedRecorder, self).record(chunk))
        self.step = chunk.step

    def checkpoint(self, state: RunState, chunk: Chunk | None, *, due: bool = False) -> None:
        """Save the state, in the main process."""
        on_main_process(lambda: super(DistributedRecorder, self).checkpoint(state, chunk, due=due))

    def plot(self, state: RunState, chunk: Chunk) -> None:
        """Show what the model does, in the main process."""
        on_main_process(lambda: super(DistributedRecorder, self).plot(state, chunk))

    def finish(self, state: RunState, test: dict[str, Any], seconds: Seconds, *, members: int = 1) -> Trained:
        """Write the results, in the main process; every process gets the trained model."""
        finished: list[Trained] = []

        def write() -> dict[str, Any]:
            finished.append(super(DistributedRecorder, self).finish(state, test, seconds, members=members))
            return finished[0].summary

        summary = on_main_process(write)
        if is_main_process():
            return finished[0]
        return Trained(jax.tree.map(jnp.asarray, state.best_model), self.config, self.directory, summary)

    def load(self) -> Trained:
        """The finished run of the directory, read by the main process."""
        read: list[Trained] = []

        def read_files() -> tuple[list[np.ndarray], dict[str, Any]]:
            read.append(load(self.directory))
            return _leaves(read[0].model), read[0].summary

        leaves, summary = on_main_process(read_files)
        if is_main_process():
            return read[0]
        structure = jax.tree.structure(model_template(self.config))
        model = jax.tree.unflatten(structure, [jnp.asarray(leaf) for leaf in leaves])
        return Trained(model, self.config, self.directory, summary)


def make_recorder(config: Config, directory: Path, *, group: str | None, progress: bool) -> Recorder:
    """The recorder of a run: of this process alone, or of several that train it together."""
    kind = DistributedRecorder if jax.process_count() > 1 else Recorder
    return kind(config, directory, group=group, progress=progress)


def _leaves(tree: Any) -> list[np.ndarray]:
    return [np.asarray(leaf) for leaf in jax.tree.leaves(tree)]
