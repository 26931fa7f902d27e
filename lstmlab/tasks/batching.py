"""Two ways from a split to its batches: rows of a stored array, and sequences generated on the device."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Shaped

from lstmlab.arrays import Key, RowNumbers, RowWeights, Scalar, Step
from lstmlab.tasks.specs import Batch, Metrics, Split
from lstmlab.tasks.task import Task, cross_entropy, mean, weighted

_SPLIT_SEEDS = {"train": 0, "validation": 1, "test": 2}


class RowsTask(Task):
    """Base of tasks whose splits are rows: sentences, recordings, windows.

    Training draws rows at random, evaluation takes each row once. A task with augmentation overrides ``train_batch``
    and calls :meth:`draw` and :meth:`pick` in it.
    """

    @abc.abstractmethod
    def rows(self, split: Split) -> int:
        """Number of rows of a split."""

    @abc.abstractmethod
    def pick(self, data: Any, rows: RowNumbers) -> Batch:
        """The batch of these rows; ``data`` is ``data()[split]``. Pure and jittable."""

    def draw(self, key: Key, batch_size: int) -> RowNumbers:
        """Random training rows, with replacement."""
        return jax.random.randint(key, (batch_size,), 0, self.rows("train"))

    def train_batch(self, data: Any, key: Key, step: Step, batch_size: int) -> Batch:
        """Random training rows."""
        return self.pick(data, self.draw(key, batch_size))

    def eval_batches(self, split: Split, batch_size: int) -> int:
        """Enough batches for all rows."""
        return -(-self.rows(split) // batch_size)

    def eval_batch(self, data: Any, split: Split, index: Step, batch_size: int) -> Batch:
        """Rows ``index · batch_size`` and on; rows beyond the end of the split have weight 0."""
        count = self.rows(split)
        rows, weights = _numbers(index, batch_size, count)
        return self.pick(data, jnp.minimum(rows, count - 1))._replace(weights=weights)


class ClassificationTask(RowsTask):
    """Base of tasks with one class per row, predicted after the last step."""

    metric = "accuracy"
    goal = "max"
    readout = "last"

    def loss(self, outputs: Float[Array, "batch classes"], batch: Batch) -> Scalar:
        """Mean cross-entropy, nats."""
        return mean(self.metrics(outputs, batch)["nats"])

    def metrics(self, outputs: Float[Array, "batch classes"], batch: Batch) -> Metrics:
        """Accuracy, and cross-entropy in nats."""
        right = (jnp.argmax(outputs, axis=-1) == batch.targets).astype(jnp.float32)
        return {"accuracy": weighted(right, batch), "nats": weighted(cross_entropy(outputs, batch.targets), batch)}


class Generated(Task):
    """Base of tasks whose sequences are generated: evaluation uses the same ``eval_examples`` sequences in every run
    and at any batch size, because each has a number and a key of its own."""

    eval_examples: int
    """sequences in the validation split and in the test split; each task declares this option"""

    @abc.abstractmethod
    def draw(self, data: Any, split: Split, key: Key) -> Batch:
        """One sequence of a split, as a batch of one."""

    def eval_batches(self, split: Split, batch_size: int) -> int:
        """Enough batches for ``eval_examples`` sequences."""
        return -(-self.eval_examples // batch_size)

    def eval_batch(self, data: Any, split: Split, index: Step, batch_size: int) -> Batch:
        """Sequences ``index · batch_size`` and on; those beyond ``eval_examples`` have weight 0."""
        rows, weights = _numbers(index, batch_size, self.eval_examples)
        return self.eval_rows(data, split, rows)._replace(weights=weights)

    def eval_rows(self, data: Any, split: Split, rows: RowNumbers) -> Batch:
        """The sequences with these numbers."""
        batches = jax.vmap(lambda row: self.draw(data, split, eval_key(split, row)))(rows)
        return jax.tree.map(lambda a: a[:, 0], batches)


def eval_key(split: Split, row: Int[Array, ""]) -> Key:
    """The key of a generated evaluation sequence: the same in every run, so that all cells see the same sequences."""
    return jax.random.fold_in(jax.random.key(0x1517 + _SPLIT_SEEDS[split]), row)


def take(data: Any, rows: RowNumbers) -> Any:
    """These rows of every array of a pytree."""
    return jax.tree.map(lambda a: jnp.asarray(a)[rows], data)


def accuracies(
    predictions: Mapping[str, Shaped[np.ndarray, " rows"] | np.integer],
    labels: Shaped[np.ndarray, " rows"],
) -> dict[str, float]:
    """Accuracy of each simple classifier, by name, best first; a single number predicts one class for all rows."""
    shares = {name: float(np.mean(classes == labels)) for name, classes in predictions.items()}
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


def _numbers(index: Step, batch_size: int, count: int) -> tuple[RowNumbers, RowWeights]:
    """Numbers ``index · batch_size …`` and their weights: 0 from ``count`` on."""
    rows = index * batch_size + jnp.arange(batch_size)
    return rows, (rows < count).astype(jnp.float32)
