"""Helpers of tasks that are generated on the device, and of option fields."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax
from jaxtyping import Array, Int, PRNGKeyArray

from lstmlab.tasks.base import Split

_SPLIT_SEEDS = {"train": 0, "validation": 1, "test": 2}


def field(
    default: Any, help: str, *, minimum: float | None = None, choices: Sequence[Any] = ()
) -> Any:
    """A dataclass field with its help text and range, read by the configuration."""
    return dataclasses.field(
        default=default, metadata={"help": help, "minimum": minimum, "choices": tuple(choices)}
    )


def eval_key(split: Split, index: Int[Array, ""]) -> PRNGKeyArray:
    """The key of an evaluation batch: the same for every run, so that all cells see the same sequences."""
    return jax.random.fold_in(jax.random.key(0x1517 + _SPLIT_SEEDS[split]), index)
