"""Multi-query associative recall: the values of keys read before."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array

from lstmlab.arrays import Key, Lengths
from lstmlab.settings import setting
from lstmlab.tasks.memory.algorithmic import IGNORED, Algorithmic
from lstmlab.tasks.registry import register_task
from lstmlab.tasks.task import Batch


@register_task(
    "associative_recall",
    title="values of keys that were shown before",
    data="generated on the device",
    paper="multi-query associative recall, Arora et al. 2023, arXiv:2312.04927",
)
@dataclasses.dataclass(frozen=True)
class AssociativeRecall(Algorithmic):
    """n pairs ``key value key value …`` with different keys, then the n keys in random order: 3 n steps.

    The answer at each key of the second part is its value. A state of fixed size can hold a limited number of pairs.
    ``length`` and ``test_length`` count pairs.
    """

    length: int = setting(8, "most pairs in training", minimum=1)
    test_length: int = setting(8, "pairs in the test", minimum=1)
    keys: int = setting(32, "different keys", minimum=2)
    values: int = setting(32, "different values", minimum=2)

    def __post_init__(self) -> None:
        """Refuse more pairs than keys; raises ``ValueError``."""
        super().__post_init__()
        for name in ("length", "test_length"):
            if getattr(self, name) > self.keys:
                raise ValueError(
                    f"task.{name}={getattr(self, name)} pairs need as many keys, but task.keys={self.keys}"
                )

    @property
    def symbols(self) -> int:
        """Keys and values."""
        return self.keys + self.values

    @property
    def answers(self) -> int:
        """Values."""
        return self.values

    def sample(self, key: Key, lengths: Lengths, longest: int) -> Batch:
        """Pairs of different keys and uniform values; each key is asked once."""

        def build(key: Key, length: Array) -> tuple[Array, Array]:
            keys_key, values_key, order_key = jax.random.split(key, 3)
            keys = jax.random.permutation(keys_key, self.keys)[:longest]
            values = jax.random.randint(values_key, (longest,), 0, self.values)
            # Padding is sorted last.
            rank = jnp.where(jnp.arange(longest) < length, jax.random.uniform(order_key, (longest,)), jnp.inf)
            order = jnp.argsort(rank)
            steps = jnp.arange(3 * longest)
            pair = jnp.minimum(steps // 2, longest - 1)
            asked = order[jnp.clip(steps - 2 * length, 0, longest - 1)]
            in_pairs = steps < 2 * length
            pairs = jnp.where(steps % 2 == 0, keys[pair], self.keys + values[pair])
            inputs = jnp.where(in_pairs, pairs, keys[asked])
            return inputs, jnp.where(~in_pairs & (steps < 3 * length), values[asked], IGNORED)

        inputs, targets = jax.vmap(build)(jax.random.split(key, lengths.shape[0]), lengths)
        return Batch(inputs, targets, lengths=3 * lengths)

    @property
    def longest_plotted(self) -> int:
        """Twice the test's number of pairs, but no more than there are keys."""
        return min(2 * self.test_length, self.keys)
