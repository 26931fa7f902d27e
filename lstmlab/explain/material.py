"""What all diagnostics of one checkpoint start from: the model in double precision, a batch, and its trajectories."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lstmlab.config import Config
from lstmlab.explain.recorded import Recorded, input_lengths, record, stack_of
from lstmlab.explain.trajectory import Trajectory, state_width
from lstmlab.models import RecurrentModel
from lstmlab.promotion import cast_numbers
from lstmlab.tasks import Batch, Split, Task

EXAMPLES, JACOBIAN_EXAMPLES, LONGEST_LAG = 64, 4, 200
"""sequences of the split; those of them along which Jacobians are taken; steps that these go back at most"""
_MOST_NUMBERS = 2e7
"""in the states of all steps of all sequences, which decides for how many sequences there is room"""


@dataclass(frozen=True)
class Refusal:
    """Why there is no finding, in one line."""

    reason: str


@dataclass(frozen=True)
class Material:
    """One checkpoint of a run. Numbers are in float64; create and use it within ``jax.enable_x64(True)``.

    Attributes:
        config: the run's configuration.
        task: its task, one object for all runs with an equal one.
        model: the checkpoint's model.
        batch: sequences of :func:`split_of`.
        final: whether this is the model that the run has chosen.
    """

    config: Config
    task: Task
    model: RecurrentModel
    batch: Batch
    final: bool = False

    @functools.cached_property
    def recorded(self) -> list[Recorded]:
        """Per layer, what its forward cell went through."""
        return record(self.model, self.batch)

    @functools.cached_property
    def lengths(self) -> np.ndarray:
        """Valid steps of every sequence that the layers read."""
        return np.minimum(np.asarray(input_lengths(self.model, self.batch)), len(self.recorded[0].valid))

    @functools.cached_property
    def ends(self) -> list[tuple[Any, Trajectory]]:
        """Per layer, the cell and the last steps of the ``JACOBIAN_EXAMPLES`` longest sequences."""
        lengths = self.lengths
        rows = np.sort(np.argsort(-lengths, kind="stable")[:JACOBIAN_EXAMPLES])
        span = min(int(lengths[rows].min()), LONGEST_LAG)
        times = lengths[rows] - span + np.arange(span)[:, None]

        def cut(a: Any) -> Any:
            return jnp.asarray(a)[times, rows]

        return [(one.cell, jax.tree.map(cut, one.path)) for one in self.recorded]


def split_of(config: Config) -> Split:
    """The test split, or the validation split of a run that must not see the test split, such as a search's trial."""
    return "test" if config.training.test else "validation"


def sequences(config: Config, model: RecurrentModel, task: Task) -> Batch:
    """The first sequences of :func:`split_of`, as NumPy arrays; rows without weight are left out."""
    split = split_of(config)
    size = config.training.eval_batch_size or config.training.batch_size
    data = jax.tree.map(jnp.asarray, task.data()[split])
    batch = jax.device_get(task.eval_batch(data, split, jnp.asarray(0), size))
    counted = np.ones(len(batch.targets), bool) if batch.weights is None else batch.weights > 0
    steps = jax.tree.leaves(batch.inputs)[0].shape[1]
    width = sum(state_width(layer.forward) for layer in stack_of(model))
    room = int(np.clip(_MOST_NUMBERS / (steps * width), JACOBIAN_EXAMPLES, EXAMPLES))
    rows = np.flatnonzero(counted)[:room]
    return jax.tree.map(lambda a: np.asarray(a)[rows], batch)


def in_double(tree: Any) -> Any:
    """The tree with its floats in double precision; call it within ``jax.enable_x64(True)``."""
    return cast_numbers(jax.tree.map(jnp.asarray, tree), np.dtype("float64"))
