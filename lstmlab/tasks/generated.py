"""What tasks that are generated on the device share: each sequence of a split has a number, and so its own key."""

from __future__ import annotations

import abc
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PRNGKeyArray

from lstmlab.tasks.task import Batch, Split, Task

_SPLIT_SEEDS = {"train": 0, "validation": 1, "test": 2}


def eval_key(split: Split, row: Int[Array, ""]) -> PRNGKeyArray:
    """The key of an evaluation sequence: the same for every run, so that all cells see the same sequences."""
    return jax.random.fold_in(jax.random.key(0x1517 + _SPLIT_SEEDS[split]), row)


class Generated(Task):
    """Base of tasks whose evaluation splits are drawn: the same ``eval_examples`` sequences at any batch size."""

    eval_examples: int
    """Sequences in the validation split and in the test split: a field of each task."""

    @abc.abstractmethod
    def draw(self, data: Any, split: Split, key: PRNGKeyArray) -> Batch:
        """One sequence of a split, as a batch of one."""

    def eval_batches(self, split: Split, batch_size: int) -> int:
        """Enough batches for ``eval_examples``."""
        return -(-self.eval_examples // batch_size)

    def eval_batch(self, data: Any, split: Split, index: Int[Array, ""], batch_size: int) -> Batch:
        """Sequences ``index * batch_size`` and on; those beyond ``eval_examples`` have no weight."""
        rows = index * batch_size + jnp.arange(batch_size)
        weights = (rows < self.eval_examples).astype(jnp.float32)
        return self.eval_rows(data, split, rows)._replace(weights=weights)

    def eval_rows(self, data: Any, split: Split, rows: Int[Array, " batch"]) -> Batch:
        """The sequences of these numbers."""
        batches = jax.vmap(lambda row: self.draw(data, split, eval_key(split, row)))(rows)
        return jax.tree.map(lambda a: a[:, 0], batches)
