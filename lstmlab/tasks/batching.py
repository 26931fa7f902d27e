"""Tasks whose splits are rows, as sentences, recordings or windows: training draws them, evaluation takes each once."""

from __future__ import annotations

import abc
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from lstmlab.tasks.task import Batch, Metrics, Split, Task, cross_entropy, mean, take_rows, weighted


class RowsTask(Task):
    """Base of tasks whose batches are any rows of a split; a task with augmentation has a ``train_batch`` of its own,
    around :meth:`draw` and :meth:`pick`."""

    @abc.abstractmethod
    def rows(self, split: Split) -> int:
        """How many rows a split has."""

    @abc.abstractmethod
    def pick(self, data: Any, rows: Int[Array, " batch"]) -> Batch:
        """The batch of some rows of a split, whose data is given. Pure and jittable."""

    def draw(self, key: PRNGKeyArray, batch_size: int) -> Int[Array, " batch"]:
        """Training rows at random, each time among all of them."""
        return jax.random.randint(key, (batch_size,), 0, self.rows("train"))

    def train_batch(self, data: Any, key: PRNGKeyArray, step: Int[Array, ""], batch_size: int) -> Batch:
        """Rows drawn at random."""
        return self.pick(data, self.draw(key, batch_size))

    def eval_batches(self, split: Split, batch_size: int) -> int:
        """Every row once."""
        return -(-self.rows(split) // batch_size)

    def eval_batch(self, data: Any, split: Split, index: Int[Array, ""], batch_size: int) -> Batch:
        """The next rows of the split, in order."""
        count = self.rows(split)
        rows, weights = take_rows(jnp.arange(count), index, batch_size, count)
        return self.pick(data, rows)._replace(weights=weights)


class ClassificationTask(RowsTask):
    """One class per row, named after the last step."""

    metric = "accuracy"
    goal = "max"
    readout = "last"

    def loss(self, outputs: Float[Array, "batch classes"], batch: Batch) -> Float[Array, ""]:
        """Mean cross-entropy, nats."""
        return mean(self.metrics(outputs, batch)["nats"])

    def metrics(self, outputs: Float[Array, "batch classes"], batch: Batch) -> Metrics:
        """Share of rows whose class is named, and the cross-entropy."""
        right = (jnp.argmax(outputs, axis=-1) == batch.targets).astype(jnp.float32)
        return {"accuracy": weighted(right, batch), "nats": weighted(cross_entropy(outputs, batch.targets), batch)}


def take(data: Any, rows: Any) -> Any:
    """Some rows of every array."""
    return jax.tree.map(lambda a: jnp.asarray(a)[rows], data)


def accuracies(named: dict[str, np.ndarray | np.integer], truth: np.ndarray) -> dict[str, float]:
    """Share of labels that each trivial classifier names rightly, best first."""
    shares = {name: float(np.mean(labels == truth)) for name, labels in named.items()}
    return dict(sorted(shares.items(), key=lambda item: -item[1]))
