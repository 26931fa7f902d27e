"""Where a model errs: against the length of sequences, against the position in them, and in which of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array
from numpy.typing import ArrayLike

from lstmlab.promotion import standard_promotion
from lstmlab.tasks import Batch, Task
from lstmlab.tasks.batching import Generated
from lstmlab.tasks.task import Metrics

LENGTH_OPTIONS = ("test_length", "length", "delay")
"""options of generated tasks that say how long sequences are, the first that a task has"""


def length_option(task: Task) -> str:
    """The option of a task by which its test sequences get longer.

    Raises:
        ValueError: for a task whose sequences are as long as they are.
    """
    names = {field.name for field in dataclasses.fields(task)}
    for name in LENGTH_OPTIONS:
        if isinstance(task, Generated) and name in names:
            return name
    raise ValueError(f"task {task.name} has no option for the length of its sequences")


def with_length(task: Task, length: int) -> Task:
    """The task with test sequences of another length; raises ``ValueError`` for a length that it does not allow."""
    return dataclasses.replace(task, **{length_option(task): length})


def metrics_of(task: Task, metrics: Metrics) -> dict[str, Array]:
    """Values of a task's metrics from totals and weights, with those that it derives from them; NaN without weight."""
    means = {
        name: jnp.where(weight > 0, total / jnp.where(weight > 0, weight, 1), jnp.nan)
        for name, (total, weight) in metrics.items()
    }
    return means | task.derived(means)


@partial(jax.jit, static_argnames="task")
@standard_promotion
def metrics_by_sequence(outputs: Array, batch: Batch, task: Task) -> dict[str, Array]:
    """Every metric of each sequence on its own, ``[batch]``."""

    def one(output: Array, sequence: Batch) -> dict[str, Array]:
        alone = jax.tree.map(lambda a: a[None], (output, sequence))
        return metrics_of(task, task.metrics(*alone))

    return jax.vmap(one)(outputs, batch)


@partial(jax.jit, static_argnames="task")
@standard_promotion
def metrics_by_position(outputs: Array, batch: Batch, task: Task) -> dict[str, Array]:
    """Every metric of each step on its own, ``[time]``: of outputs and targets ``[batch, time, ...]``."""
    steps = outputs.shape[1]

    def at(step: Array) -> dict[str, Array]:
        inputs, targets, output = (
            jax.tree.map(lambda a: jax.lax.dynamic_slice_in_dim(a, step, 1, axis=1), tree)
            for tree in (batch.inputs, batch.targets, outputs)
        )
        lengths = None if batch.lengths is None else (batch.lengths > step).astype(batch.lengths.dtype)
        resets = None if batch.resets is None else jax.lax.dynamic_slice_in_dim(batch.resets, step, 1, axis=1)
        one = Batch(inputs, targets, batch.weights, lengths, resets)
        return metrics_of(task, task.metrics(output, one))

    return jax.lax.map(at, jnp.arange(steps))


def hardest(values: ArrayLike, goal: str, count: int = 10) -> np.ndarray:
    """The numbers of the sequences with the worst values, the worst first; ``goal`` is ``min`` or ``max``."""
    given = np.asarray(values, float)
    return np.argsort(-given if goal == "min" else given, kind="stable")[:count]


def lengths_around(length: int, factors: Sequence[float] = (0.5, 1, 2, 4)) -> list[int]:
    """Multiples of a length, at least 2."""
    return sorted({max(2, round(length * factor)) for factor in factors})


def main_metric(task: Task, metrics: dict[str, Any]) -> str:
    """The metric of a task if it is among these, else the first of them."""
    return task.metric if task.metric in metrics else next(iter(metrics))
