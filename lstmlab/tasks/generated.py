"""Keys of tasks that are generated on the device."""

from __future__ import annotations

import jax
from jaxtyping import Array, Int, PRNGKeyArray

from lstmlab.tasks.base import Split

_SPLIT_SEEDS = {"train": 0, "validation": 1, "test": 2}


def eval_key(split: Split, index: Int[Array, ""]) -> PRNGKeyArray:
    """The key of an evaluation batch: the same for every run, so that all cells see the same sequences."""
    return jax.random.fold_in(jax.random.key(0x1517 + _SPLIT_SEEDS[split]), index)
