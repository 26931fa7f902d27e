"""The temporal order problem: in which order two kinds of symbols came."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp

from lstmlab.arrays import Key, Lengths
from lstmlab.settings import setting
from lstmlab.tasks.memory.algorithmic import Algorithmic, at_the_end
from lstmlab.tasks.registry import register_task
from lstmlab.tasks.task import Batch

DISTRACTORS = 4
X, Y = DISTRACTORS, DISTRACTORS + 1


@register_task(
    "temporal_order",
    title="order of two kinds of symbols among distractors",
    data="generated on the device",
    paper="Hochreiter & Schmidhuber 1997, tasks 6a and 6b",
)
@dataclasses.dataclass(frozen=True)
class TemporalOrder(Algorithmic):
    """``relevant`` symbols, each X or Y, at random positions among four kinds of distractors.

    The answer, asked after the last step, is their order, one of 2^relevant. The sequence is divided into equal parts
    with one relevant symbol in each: task 6a has two of them (four classes), 6b three (eight classes), both with 100 to
    110 steps.
    """

    length: int = setting(110, "longest training sequence", minimum=1)
    test_length: int = setting(220, "length of all test sequences", minimum=1)
    relevant: int = setting(2, "symbols whose order is asked: 2 is task 6a, 3 is 6b", minimum=1)

    @property
    def minimum_length(self) -> int:
        """One step per relevant symbol."""
        return self.relevant

    @property
    def shortest(self) -> int:
        """100 as in the paper, or ``length`` where that is smaller."""
        return max(self.relevant, min(100, self.length))

    @property
    def symbols(self) -> int:
        """Distractors, X and Y."""
        return DISTRACTORS + 2

    @property
    def answers(self) -> int:
        """The possible orders."""
        return 2**self.relevant

    def sample(self, key: Key, lengths: Lengths, longest: int) -> Batch:
        """Sequences with a uniform kind of symbol at a uniform position of each part."""
        kinds_key, positions_key, noise_key = jax.random.split(key, 3)
        batch = lengths.shape[0]
        kinds = jax.random.bernoulli(kinds_key, 0.5, (batch, self.relevant)).astype(jnp.int32)
        borders = lengths[:, None] * jnp.arange(self.relevant + 1) // self.relevant
        positions = jax.random.randint(positions_key, kinds.shape, borders[:, :-1], borders[:, 1:])
        noise = jax.random.randint(noise_key, (batch, longest), 0, DISTRACTORS)
        symbols = noise.at[jnp.arange(batch)[:, None], positions].set(X + kinds)
        order = kinds @ (2 ** jnp.arange(self.relevant))
        return Batch(symbols, at_the_end(jnp.broadcast_to(order[:, None], symbols.shape), lengths), lengths=lengths)
