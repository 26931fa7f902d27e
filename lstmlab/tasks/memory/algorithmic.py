"""The base of tasks with exact answers: random lengths, answers at some steps, longer sequences in the test."""

from __future__ import annotations

import abc
import dataclasses
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from lstmlab.arrays import Key, Lengths, Scalar, Step
from lstmlab.plots.curves import curves
from lstmlab.settings import setting
from lstmlab.tasks.batching import Generated, eval_key
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

IGNORED = -1
"""the target of steps at which no answer is asked"""
CURVE_POINTS, CURVE_EXAMPLES = 12, 50


@dataclasses.dataclass(frozen=True)
class Algorithmic(Generated):
    """Base of tasks whose answers an algorithm computes.

    Training and validation draw lengths uniformly from the shortest to ``length``; all test sequences have
    ``test_length``, so that the test accuracy shows whether the algorithm was learned or only the training lengths. A
    sequence of length n may take more steps than n, see the tasks.
    """

    length: int = setting(40, "longest training sequence", minimum=1)
    test_length: int = setting(256, "length of all test sequences", minimum=1)
    eval_examples: int = setting(512, "sequences in the validation split and in the test split", minimum=1)

    metric = "accuracy"
    goal = "max"
    reference_value = 1.0  # the perfect one
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
    def sample(self, key: Key, lengths: Lengths, longest: int) -> Batch:
        """Sequences of the given lengths, padded to the steps of length ``longest``; targets are answers or
        :data:`IGNORED`.
        """

    @property
    def shortest(self) -> int:
        """Length of the shortest sequence."""
        return 1

    @property
    def minimum_length(self) -> int:
        """The smallest value that ``length`` and ``test_length`` may take."""
        return self.shortest

    @property
    def longest_plotted(self) -> int:
        """The last length of the curve of length extrapolation."""
        return 2 * self.test_length

    def __post_init__(self) -> None:
        """Refuse lengths that are too short; raises ``ValueError``."""
        for name in ("length", "test_length"):
            if getattr(self, name) < self.minimum_length:
                raise ValueError(
                    f"task.{name}={getattr(self, name)} is too short for {self.name}: at least {self.minimum_length}"
                )

    @property
    def inputs(self) -> Tokens:
        """Tokens of the alphabet."""
        return Tokens(self.symbols)

    @property
    def outputs(self) -> Features:
        """One logit per possible answer."""
        return Features(self.answers)

    def train_batch(self, data: object, key: Key, step: Step, batch_size: int) -> Batch:
        """New sequences at every step."""
        return self._of_random_lengths(key, batch_size)

    def draw(self, data: object, split: Split, key: Key) -> Batch:
        """One sequence: for the test of its length, for validation drawn as in training."""
        if split == "test":
            return self.sample(key, jnp.full(1, self.test_length), self.test_length)
        return self._of_random_lengths(key, 1)

    def _of_random_lengths(self, key: Key, batch_size: int) -> Batch:
        # Split, since `fold_in(key, 1)` is also one of the keys into which a sampler splits `key`.
        lengths_key, key = jax.random.split(key)
        lengths = jax.random.randint(lengths_key, (batch_size,), self.shortest, self.length + 1)
        return self.sample(key, lengths, self.length)

    def loss(self, outputs: Float[Array, "batch time answers"], batch: Batch) -> Scalar:
        """Mean cross-entropy of the answers, nats."""
        return mean(self.metrics(outputs, batch)["nats"])

    def metrics(self, outputs: Float[Array, "batch time answers"], batch: Batch) -> Metrics:
        """Share of right answers, share of sequences with no wrong answer, and nats per answer."""
        weights = jnp.ones(batch.targets.shape[0]) if batch.weights is None else batch.weights
        asked = (batch.targets != IGNORED) * weights[:, None]
        right = jnp.argmax(outputs, axis=-1) == batch.targets
        all_right = jnp.all(right | (batch.targets == IGNORED), axis=1)
        nats = cross_entropy(outputs, jnp.maximum(batch.targets, 0))
        return {
            "accuracy": (jnp.sum(right * asked), jnp.sum(asked)),
            "sequence_accuracy": (jnp.sum(all_right * weights), jnp.sum(weights)),
            "nats": (jnp.sum(nats * asked), jnp.sum(asked)),
        }

    def baselines(self) -> dict[str, float]:
        """Accuracy of uniform guessing."""
        return {"guess": 1 / self.answers}

    def plot(self, predictor: Predictor) -> list[Plot]:
        """The curve of length extrapolation: accuracy at lengths up to twice that of the test."""
        evenly = np.linspace(self.shortest, self.longest_plotted, CURVE_POINTS)
        lengths = np.unique(np.r_[evenly.round().astype(int), self.length, self.test_length])
        accuracies = self.accuracy_at(predictor, lengths)

        def draw(path: Path) -> None:
            title = f"{self.name}: accuracy on longer sequences than in training"
            curves(
                path, {"model": (lengths, accuracies)}, baselines=self.baselines(), title=title,
                x_label="sequence length (steps)", y_label="accuracy (higher is better)",
                marks={"longest in training": self.length},
            )  # fmt: skip

        return [Plot("length_extrapolation", draw=draw)]

    def accuracy_at(self, predictor: Predictor, lengths: Int[np.ndarray, " lengths"]) -> Float[np.ndarray, " lengths"]:
        """Share of right answers on new sequences of each of the given lengths."""
        # One padded batch: a batch per length would be a compiled program per length.
        rows = jnp.repeat(jnp.asarray(lengths), CURVE_EXAMPLES)
        unseen = eval_key("test", jnp.asarray(self.eval_examples))  # no row of the test split has this number
        batch = self.sample(unseen, rows, int(max(lengths)))
        asked = np.asarray(batch.targets) != IGNORED
        right = np.asarray(jnp.argmax(predictor.predict(batch), axis=-1) == batch.targets) & asked
        return right.reshape(len(lengths), -1).sum(1) / asked.reshape(len(lengths), -1).sum(1)


def at_the_end(answers: Int[Array, "batch time"], lengths: Lengths) -> Int[Array, "batch time"]:
    """Targets that ask for the answer at each sequence's last step only."""
    last = jnp.arange(answers.shape[1]) == lengths[:, None] - 1
    return jnp.where(last, answers, IGNORED)
