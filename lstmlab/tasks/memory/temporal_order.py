"""The temporal order problem: which of two symbols came when."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PRNGKeyArray

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
    """``relevant`` symbols, each X or Y, at random places among four kinds of distractors.

    After the last step the answer names their order, one of 2^relevant. The places lie in equal parts of the sequence,
    one in each: 6a has two relevant symbols (four classes), 6b three (eight classes), both with 100 to 110 steps.
    """

    length: int = setting(110, "longest training sequence", minimum=1)
    test_length: int = setting(220, "length of all test sequences", minimum=1)
    relevant: int = setting(2, "symbols whose order is asked: 2 is task 6a, 3 is 6b", minimum=1)

    @property
    def least(self) -> int:
        """One step per relevant symbol."""
        return self.relevant

    @property
    def shortest(self) -> int:
        """The 100 of the paper, or less where ``length`` is."""
        return max(self.relevant, min(100, self.length))

    @property
    def symbols(self) -> int:
        """Distractors, X and Y."""
        return DISTRACTORS + 2

    @property
    def answers(self) -> int:
        """One per order."""
        return 2**self.relevant

    def sample(self, key: PRNGKeyArray, lengths: Int[Array, " batch"], longest: int) -> Batch:
        """Uniform kinds at uniform places within each part."""
        kinds_key, places_key, noise_key = jax.random.split(key, 3)
        batch = lengths.shape[0]
        kinds = jax.random.bernoulli(kinds_key, 0.5, (batch, self.relevant)).astype(jnp.int32)
        borders = lengths[:, None] * jnp.arange(self.relevant + 1) // self.relevant
        places = jax.random.randint(places_key, kinds.shape, borders[:, :-1], borders[:, 1:])
        noise = jax.random.randint(noise_key, (batch, longest), 0, DISTRACTORS)
        symbols = noise.at[jnp.arange(batch)[:, None], places].set(X + kinds)
        order = kinds @ (2 ** jnp.arange(self.relevant))
        return Batch(symbols, at_the_end(jnp.broadcast_to(order[:, None], symbols.shape), lengths), lengths=lengths)
