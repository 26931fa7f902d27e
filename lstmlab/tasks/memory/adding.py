"""The adding problem: remember two marked numbers over a long stretch of noise, and its variant with a product."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from lstmlab.arrays import Key, Scalar, Step
from lstmlab.settings import setting
from lstmlab.tasks.batching import Generated
from lstmlab.tasks.registry import register_task
from lstmlab.tasks.task import Batch, Features, Metrics, Split, mean, weighted


@register_task(
    "adding",
    title="sum of the two marked numbers in a long sequence",
    data="generated on the device",
    paper="Hochreiter & Schmidhuber 1997",
)
@dataclasses.dataclass(frozen=True)
class Adding(Generated):
    """Inputs are pairs (number from U[0, 1], mark); one step in each half is marked; the target is the sum of the two
    marked numbers.

    The constant prediction 1 has mean squared error 1/6, the variance of the target. Below 0.01 the task counts as
    solved.
    """

    length: int = setting(100, "steps of a sequence", minimum=2)
    eval_examples: int = setting(1000, "sequences in the validation split and in the test split", minimum=1)

    metric = "mse"
    reference_value = 0.0  # the perfect one
    readout = "last"
    solved = 0.01
    defaults = ("training.steps=3000", "training.batch_size=64", "training.log_every=100", "training.eval_every=500")

    @property
    def inputs(self) -> Features:
        """The number and the mark."""
        return Features(2)

    @property
    def outputs(self) -> Features:
        """The predicted sum."""
        return Features(1)

    def train_batch(self, data: object, key: Key, step: Step, batch_size: int) -> Batch:
        """New sequences at every step."""
        return self.sample(key, batch_size)

    def draw(self, data: object, split: Split, key: Key) -> Batch:
        """One sequence, drawn as in training."""
        return self.sample(key, 1)

    def sample(self, key: Key, batch_size: int) -> Batch:
        """Random sequences ``[batch, length, 2]`` and their targets ``[batch]``."""
        numbers_key, first_key, second_key = jax.random.split(key, 3)
        half = self.length // 2
        numbers = jax.random.uniform(numbers_key, (batch_size, self.length))
        first = jax.random.randint(first_key, (batch_size,), 0, half)
        second = jax.random.randint(second_key, (batch_size,), half, self.length)
        steps = jnp.arange(self.length)
        marks = (steps == first[:, None]) | (steps == second[:, None])
        inputs = jnp.stack([numbers, marks.astype(jnp.float32)], axis=-1)
        return Batch(inputs, self.combine(numbers, marks))

    def combine(self, numbers: Float[Array, "batch time"], marks: Bool[Array, "batch time"]) -> Float[Array, " batch"]:
        """The sum of the marked numbers."""
        return jnp.sum(numbers * marks, axis=1)

    def loss(self, outputs: Float[Array, "batch 1"], batch: Batch) -> Scalar:
        """Mean squared error."""
        return mean(self.metrics(outputs, batch)["mse"])

    def metrics(self, outputs: Float[Array, "batch 1"], batch: Batch) -> Metrics:
        """Mean squared error, and the share of predictions with an error below 0.04."""
        error = outputs[:, 0] - batch.targets
        within = (jnp.abs(error) < 0.04).astype(jnp.float32)
        return {"mse": weighted(error**2, batch), "within_0.04": weighted(within, batch)}

    def baselines(self) -> dict[str, float]:
        """The constant prediction 1, whose error is the variance of a sum of two uniform numbers."""
        return {"constant 1": 1 / 6}


@register_task(
    "multiplication",
    title="product of the two marked numbers in a long sequence",
    data="generated on the device",
    paper="Hochreiter & Schmidhuber 1997",
)
@dataclasses.dataclass(frozen=True)
class Multiplication(Adding):
    """The adding problem with the product of the marked numbers as its target.

    The constant prediction 1/4 has mean squared error 7/144, the variance of the target.
    """

    solved = 0.003

    def combine(self, numbers: Float[Array, "batch time"], marks: Bool[Array, "batch time"]) -> Float[Array, " batch"]:
        """The product of the marked numbers."""
        return jnp.prod(jnp.where(marks, numbers, 1.0), axis=1)

    def baselines(self) -> dict[str, float]:
        """The constant prediction 1/4, whose error is the variance of a product of two uniform numbers."""
        return {"constant 1/4": 7 / 144}
