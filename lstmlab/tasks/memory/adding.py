"""The adding problem: remember two marked numbers over a long stretch of noise."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from lstmlab.settings import setting
from lstmlab.tasks.generated import Generated
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
    """Inputs are pairs (number from U[0, 1], mark); one mark lies in each half; the target is the marked sum.

    The constant guess 1 has mean squared error 1/6, the variance of the target. Below 0.01 the task counts as solved.
    """

    length: int = setting(100, "steps of a sequence", minimum=2)
    eval_examples: int = setting(1000, "sequences in the validation split and in the test split", minimum=1)

    metric = "mse"
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

    def train_batch(self, data: object, key: PRNGKeyArray, step: Int[Array, ""], batch_size: int) -> Batch:
        """Fresh sequences at every step."""
        return self.sample(key, batch_size)

    def draw(self, data: object, split: Split, key: PRNGKeyArray) -> Batch:
        """A sequence like those of training."""
        return self.sample(key, 1)

    def sample(self, key: PRNGKeyArray, batch_size: int) -> Batch:
        """Draw sequences ``[batch, length, 2]`` and their sums ``[batch]``."""
        k_numbers, k_first, k_second = jax.random.split(key, 3)
        half = self.length // 2
        numbers = jax.random.uniform(k_numbers, (batch_size, self.length))
        first = jax.random.randint(k_first, (batch_size,), 0, half)
        second = jax.random.randint(k_second, (batch_size,), half, self.length)
        steps = jnp.arange(self.length)
        marks = (steps == first[:, None]) | (steps == second[:, None])
        inputs = jnp.stack([numbers, marks.astype(jnp.float32)], axis=-1)
        return Batch(inputs, self.combine(numbers, marks))

    def combine(self, numbers: Float[Array, "batch time"], marks: Bool[Array, "batch time"]) -> Float[Array, " batch"]:
        """The sum of the marked numbers."""
        return jnp.sum(numbers * marks, axis=1)

    def loss(self, outputs: Float[Array, "batch 1"], batch: Batch) -> Float[Array, ""]:
        """Mean squared error."""
        return mean(self.metrics(outputs, batch)["mse"])

    def metrics(self, outputs: Float[Array, "batch 1"], batch: Batch) -> Metrics:
        """Mean squared error, and the share of sums that are off by less than 0.04."""
        error = outputs[:, 0] - batch.targets
        within = (jnp.abs(error) < 0.04).astype(jnp.float32)
        return {"mse": weighted(error**2, batch), "within_0.04": weighted(within, batch)}

    def baselines(self) -> dict[str, float]:
        """The constant guess 1: its error is the variance of a sum of two uniforms."""
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

    The constant guess 1/4 has mean squared error 7/144, the variance of the target.
    """

    solved = 0.003

    def combine(self, numbers: Float[Array, "batch time"], marks: Bool[Array, "batch time"]) -> Float[Array, " batch"]:
        """The product of the marked numbers."""
        return jnp.prod(jnp.where(marks, numbers, 1.0), axis=1)

    def baselines(self) -> dict[str, float]:
        """The constant guess 1/4: its error is the variance of a product of two uniforms."""
        return {"constant 1/4": 7 / 144}
