"""Multi-query associative recall: look up values by keys seen before."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PRNGKeyArray

from lstmlab.settings import setting
from lstmlab.tasks.memory.algorithmic import SILENT, Algorithmic
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
    """n pairs ``key value key value …`` with different keys, then the n keys in another order: 3 n steps.

    At each of the asked keys the answer is its value. A state of fixed size holds only so many pairs; ``length`` and
    ``test_length`` count pairs.
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

    def sample(self, key: PRNGKeyArray, lengths: Int[Array, " batch"], longest: int) -> Batch:
        """Different keys, uniform values, each key asked once."""

        def write(key: PRNGKeyArray, length: Array) -> tuple[Array, Array]:
            keys_key, values_key, order_key = jax.random.split(key, 3)
            shown = jax.random.permutation(keys_key, self.keys)[:longest]
            told = jax.random.randint(values_key, (longest,), 0, self.values)
            luck = jnp.where(jnp.arange(longest) < length, jax.random.uniform(order_key, (longest,)), jnp.inf)
            order = jnp.argsort(luck)
            steps = jnp.arange(3 * longest)
            pair = jnp.minimum(steps // 2, longest - 1)
            asked = order[jnp.clip(steps - 2 * length, 0, longest - 1)]
            showing = steps < 2 * length
            inputs = jnp.where(showing, jnp.where(steps % 2 == 0, shown[pair], self.keys + told[pair]), shown[asked])
            return inputs, jnp.where(~showing & (steps < 3 * length), told[asked], SILENT)

        inputs, targets = jax.vmap(write)(jax.random.split(key, lengths.shape[0]), lengths)
        return Batch(inputs, targets, lengths=3 * lengths)

    @property
    def longest_shown(self) -> int:
        """No more pairs than keys."""
        return min(2 * self.test_length, self.keys)
