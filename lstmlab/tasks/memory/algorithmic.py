"""What tasks with exact answers share: random lengths, answers at some steps, longer sequences in the test."""

from __future__ import annotations

import abc
import dataclasses
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from lstmlab.plots.curves import curves
from lstmlab.settings import setting
from lstmlab.tasks.generated import Generated, eval_key
from lstmlab.tasks.task import (
    Batch,
    Features,
    Metrics,
    Plot,
    Predictor,
    Split,
    Tokens,
    cross_entropy,
    mean,
)

SILENT = -1
"""The target of steps at which nothing is asked."""
CURVE_POINTS, CURVE_EXAMPLES = 12, 50


@dataclasses.dataclass(frozen=True)
class Algorithmic(Generated):
    """Base of tasks whose answers an algorithm knows.

    Training draws lengths uniformly from the shortest to ``length``, and so does validation; the test has sequences of
    ``test_length`` alone, so that its accuracy tells whether the algorithm was learned or the lengths. A sequence of
    length n may take more steps than n, see the tasks.
    """

    length: int = setting(40, "longest training sequence", minimum=1)
    test_length: int = setting(256, "length of all test sequences", minimum=1)
    eval_examples: int = setting(512, "sequences in the validation split and in the test split", minimum=1)

    metric = "accuracy"
    goal = "max"
    solved = 0.99
    defaults = ("training.steps=5000", "training.batch_size=128", "training.log_every=100", "training.eval_every=500")

    @property
    @abc.abstractmethod
    def symbols(self) -> int:
        """Number of input tokens."""

    @property
    @abc.abstractmethod
    def answers(self) -> int:
        """Number of possible answers."""

    @abc.abstractmethod
    def sample(self, key: PRNGKeyArray, lengths: Int[Array, " batch"], longest: int) -> Batch:
        """Sequences of the given lengths, padded to what ``longest`` needs, and answers or :data:`SILENT`."""

    @property
    def shortest(self) -> int:
        """Length of the shortest sequence."""
        return 1

    @property
    def least(self) -> int:
        """The smallest length that can be asked for."""
        return self.shortest

    @property
    def longest_shown(self) -> int:
        """Where the curve of length extrapolation ends."""
        return 2 * self.test_length

    def __post_init__(self) -> None:
        """Refuse lengths below the least; raises ``ValueError``."""
        for name in ("length", "test_length"):
            if getattr(self, name) < self.least:
                raise ValueError(
                    f"task.{name}={getattr(self, name)} is too short for {self.name}: at least {self.least}"
                )

    @property
    def inputs(self) -> Tokens:
        """Symbols."""
        return Tokens(self.symbols)

    @property
    def outputs(self) -> Features:
        """The logit of each answer."""
        return Features(self.answers)

    def train_batch(self, data: object, key: PRNGKeyArray, step: Int[Array, ""], batch_size: int) -> Batch:
        """Fresh sequences at every step."""
        return self._mixed(key, batch_size)

    def draw(self, data: object, split: Split, key: PRNGKeyArray) -> Batch:
        """A sequence of the test's length, or for validation one like those of training."""
        if split == "test":
            return self.sample(key, jnp.full(1, self.test_length), self.test_length)
        return self._mixed(key, 1)

    def _mixed(self, key: PRNGKeyArray, batch_size: int) -> Batch:
        # Not `fold_in(key, 1)` beside `key`: that is one of the keys into which a sampler splits `key`.
        key_of_lengths, key = jax.random.split(key)
        lengths = jax.random.randint(key_of_lengths, (batch_size,), self.shortest, self.length + 1)
        return self.sample(key, lengths, self.length)

    def loss(self, outputs: Float[Array, "batch time answers"], batch: Batch) -> Float[Array, ""]:
        """Mean cross-entropy of the answers, nats."""
        return mean(self.metrics(outputs, batch)["nats"])

    def metrics(self, outputs: Float[Array, "batch time answers"], batch: Batch) -> Metrics:
        """Share of right answers, share of sequences without a mistake, and nats per answer."""
        weights = jnp.ones(batch.targets.shape[0]) if batch.weights is None else batch.weights
        asked = (batch.targets != SILENT) * weights[:, None]
        right = jnp.argmax(outputs, axis=-1) == batch.targets
        whole = jnp.all(right | (batch.targets == SILENT), axis=1)
        nats = cross_entropy(outputs, jnp.maximum(batch.targets, 0))
        return {
            "accuracy": (jnp.sum(right * asked), jnp.sum(asked)),
            "sequence_accuracy": (jnp.sum(whole * weights), jnp.sum(weights)),
            "nats": (jnp.sum(nats * asked), jnp.sum(asked)),
        }

    def baselines(self) -> dict[str, float]:
        """Every answer alike."""
        return {"guess": 1 / self.answers}

    def plot(self, predictor: Predictor) -> list[Plot]:
        """The curve of length extrapolation: accuracy at lengths up to twice the test's."""
        ends = np.linspace(self.shortest, self.longest_shown, CURVE_POINTS)
        lengths = np.unique(np.r_[ends.round().astype(int), self.length, self.test_length])
        accuracies = self.accuracy_at(predictor, lengths)

        def draw(path: Path) -> None:
            title = f"{self.name}: trained up to length {self.length}"
            curves(
                path, {"model": (lengths, accuracies)}, baselines=self.baselines(), title=title,
                x_label="sequence length", y_label="accuracy",
            )  # fmt: skip

        return [Plot("length_extrapolation", draw=draw)]

    def accuracy_at(self, predictor: Predictor, lengths: np.ndarray) -> np.ndarray:
        """Share of right answers on fresh sequences of each of the given lengths."""
        # One padded batch: a batch per length would be a compiled program per length.
        rows = jnp.repeat(jnp.asarray(lengths), CURVE_EXAMPLES)
        unseen = eval_key("test", jnp.asarray(self.eval_examples))  # the split's rows end before it
        batch = self.sample(unseen, rows, int(max(lengths)))
        asked = np.asarray(batch.targets) != SILENT
        right = np.asarray(jnp.argmax(predictor.predict(batch), axis=-1) == batch.targets) & asked
        return right.reshape(len(lengths), -1).sum(1) / asked.reshape(len(lengths), -1).sum(1)


def at_the_end(answers: Int[Array, "batch time"], lengths: Int[Array, " batch"]) -> Int[Array, "batch time"]:
    """The answers of each sequence's last step alone."""
    last = jnp.arange(answers.shape[1]) == lengths[:, None] - 1
    return jnp.where(last, answers, SILENT)
