"""The copy memory problem: repeat ten symbols after a long stretch of blanks."""

from __future__ import annotations

import dataclasses
import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from lstmlab.arrays import Key, Scalar, Step
from lstmlab.settings import setting
from lstmlab.tasks.batching import Generated
from lstmlab.tasks.registry import register_task
from lstmlab.tasks.task import (
    Batch,
    Features,
    Metrics,
    Split,
    Tokens,
    cross_entropy,
    mean,
    weighted,
)

SYMBOLS = 8
RECALLED = 10
BLANK, DELIMITER = SYMBOLS, SYMBOLS + 1
CATEGORIES = SYMBOLS + 2


@register_task(
    "copy_memory",
    title="repeat ten symbols after a long stretch of blanks",
    data="generated on the device",
    paper="Hochreiter & Schmidhuber 1997; protocol of Arjovsky, Shah & Bengio 2016",
)
@dataclasses.dataclass(frozen=True)
class CopyMemory(Generated):
    """Sequences of T + 20 steps over 10 categories, T being the delay::

        steps    10            T − 1    1            10
        inputs   a_1 … a_10    blank    delimiter    blank
        targets  blank ......................... (T + 10) ....    a_1 … a_10

    with a_i uniform over 8 symbols. (Bai et al. 2018 repeat the delimiter to the end instead of showing it once.)

    The loss is the cross-entropy in nats, averaged over all T + 20 steps. A model without memory that knows when to
    answer loses ln 8 at each of the last ten steps, 10·ln 8/(T + 20) on average: the baseline ``memoryless``. The task
    counts as solved at a tenth of it, which is 0.21 nats per recalled symbol.
    """

    delay: int = setting(100, "delay T: the blanks between the symbols and their recall", minimum=1)
    eval_examples: int = setting(1000, "sequences in the validation split and in the test split", minimum=1)

    metric = "nats"
    reference_value = 0.0  # the perfect one
    defaults = ("training.steps=3000", "training.batch_size=64", "training.log_every=100", "training.eval_every=500")

    @property
    def solved(self) -> float:  # depends on the delay, as the baseline does
        """A tenth of the memoryless baseline, nats."""
        return 0.1 * self.baselines()["memoryless"]

    @property
    def inputs(self) -> Tokens:
        """Eight symbols, blank and delimiter."""
        return Tokens(CATEGORIES)

    @property
    def outputs(self) -> Features:
        """Logits of the same categories."""
        return Features(CATEGORIES)

    def train_batch(self, data: object, key: Key, step: Step, batch_size: int) -> Batch:
        """New sequences at every step."""
        return self.batch(jax.random.randint(key, (batch_size, RECALLED), 0, SYMBOLS))

    def draw(self, data: object, split: Split, key: Key) -> Batch:
        """One sequence, drawn as in training."""
        return self.batch(jax.random.randint(key, (1, RECALLED), 0, SYMBOLS))

    def batch(self, symbols: Int[Array, "batch recalled"]) -> Batch:
        """Sequences ``[batch, T + 20]`` in which these symbols are to be recalled."""

        def blanks(steps: int) -> Int[Array, "batch steps"]:
            return jnp.full((symbols.shape[0], steps), BLANK)

        delimiter = jnp.full((symbols.shape[0], 1), DELIMITER)
        inputs = [symbols, blanks(self.delay - 1), delimiter, blanks(RECALLED)]
        targets = [blanks(self.delay + RECALLED), symbols]
        return Batch(jnp.concatenate(inputs, axis=1), jnp.concatenate(targets, axis=1))

    def loss(self, outputs: Float[Array, "batch time categories"], batch: Batch) -> Scalar:
        """Mean cross-entropy over all steps, nats."""
        return mean(self.metrics(outputs, batch)["nats"])

    def metrics(self, outputs: Float[Array, "batch time categories"], batch: Batch) -> Metrics:
        """Cross-entropy over all steps, nats, and the share of the ten symbols recalled."""
        recalled = jnp.argmax(outputs[:, -RECALLED:], axis=-1) == batch.targets[:, -RECALLED:]
        return {
            "nats": weighted(cross_entropy(outputs, batch.targets), batch),
            "accuracy": weighted(recalled.astype(jnp.float32), batch),
        }

    def baselines(self) -> dict[str, float]:
        """The loss of predicting blanks at the first T + 10 steps and all eight symbols alike at the last ten."""
        return {"memoryless": RECALLED * math.log(SYMBOLS) / (self.delay + 2 * RECALLED)}
