"""The interface of a task: its data, batches, loss, metrics and baselines.

A task is a frozen dataclass whose fields are its options (``task.length=200`` on the command line). Batches,
loss and metrics are pure functions of arrays, so that they run inside one compiled program. It knows nothing
of models beyond the shapes that go in and come out.
"""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from lstmlab.arrays import Key, Scalar, Step
from lstmlab.tasks.specs import Batch, Features, Metrics, Pairs, Plot, Predictor, SourceTarget, Split, Tokens

__all__ = [
    "Batch",
    "Features",
    "Metrics",
    "Pairs",
    "Plot",
    "Predictor",
    "SourceTarget",
    "Split",
    "Task",
    "Tokens",
    "all_baselines",
    "cross_entropy",
    "from_data_section",
    "mean",
    "valid_steps",
    "weighted",
]  # fmt: skip

DATA_KEY = "data_key"
"""where :func:`from_data_section` stores the key"""


def from_data_section(key: str, default: Any = None) -> Any:
    """A field that the section ``data`` of the configuration sets, such as ``data.dir``, rather than ``task``."""
    return dataclasses.field(default=default, kw_only=True, metadata={DATA_KEY: key})


@dataclasses.dataclass(frozen=True)
class Task(abc.ABC):
    """Base of all tasks. The arrays of ``data()`` go to the device once and come back as ``data`` arguments."""

    data_dir: str | None = from_data_section("dir")

    name: ClassVar[str]
    metric: ClassVar[str]
    """the metric by which runs are compared, stopped early and selected"""
    goal: ClassVar[Literal["min", "max"]] = "min"
    readout: ClassVar[Literal["steps", "last"]] = "steps"
    """whether the loss reads the output at every step, ``[batch, time, ...]``, or after the last, ``[batch, ...]``"""
    architecture: ClassVar[str] = "sequence"
    """the model architecture that the task needs, a name in ``lstmlab.models.ARCHITECTURES``; a property where options
    decide"""
    stateful: ClassVar[bool] = False
    """successive batches continue each other's sequences, so the state is carried (truncated BPTT)"""
    causal: ClassVar[bool] = False
    """an output must not depend on later inputs of its sequence, because these contain its target"""
    solved: ClassVar[float | None] = None
    """value of the metric from which the task counts as solved; a property where options decide"""
    reference_value: ClassVar[float | None] = None
    """value of the metric that scores 1 in comparisons over tasks: a published one that is better than every baseline,
    or else the perfect one, 0 of a loss and 1 of a share, which is taken where a task has none; a property where
    options decide"""
    defaults: ClassVar[tuple[str, ...]] = ()
    """defaults of other sections of the configuration with this task, such as ``training.steps=3000``"""

    @property
    @abc.abstractmethod
    def inputs(self) -> Tokens | Features | Pairs:
        """The shape of one step of input."""

    @property
    @abc.abstractmethod
    def outputs(self) -> Features:
        """The shape of one step of output."""

    def data(self) -> Mapping[Split, Any]:
        """NumPy arrays per split; empty for tasks that are generated on the device."""
        return {"train": (), "validation": (), "test": ()}

    @abc.abstractmethod
    def train_batch(self, data: Any, key: Key, step: Step, batch_size: int) -> Batch:
        """The training batch of an optimiser step; ``data`` is ``data()["train"]``. Pure and jittable."""

    @abc.abstractmethod
    def eval_batches(self, split: Split, batch_size: int) -> int:
        """Number of batches that cover a split."""

    @abc.abstractmethod
    def eval_batch(self, data: Any, split: Split, index: Step, batch_size: int) -> Batch:
        """Batch ``index`` of a split, always the same one; ``data`` is ``data()[split]``. Pure and jittable."""

    @abc.abstractmethod
    def loss(self, outputs: Array, batch: Batch) -> Scalar:
        """The training loss: a mean over the batch."""

    @abc.abstractmethod
    def metrics(self, outputs: Array, batch: Batch) -> Metrics:
        """Total and weight of every metric; must contain ``metric``."""

    @abc.abstractmethod
    def baselines(self) -> dict[str, float]:
        """The baselines printed beside every result: values of ``metric`` on the test split by name, best first.

        They are fitted on the training split; what has to be chosen is chosen on the validation split.
        """

    def slow_baselines(self) -> dict[str, float]:
        """Further baselines, as :meth:`baselines`, which take more than some seconds to fit and are therefore kept on
        disk (:func:`lstmlab.data.remembered.remembered`). None by default."""
        return {}

    def other_baselines(self) -> dict[str, dict[str, float]]:
        """Values of the baselines on the test split for further metrics, ``{metric: {baseline: value}}``; none by
        default."""
        return {}

    def derived(self, means: Mapping[str, Array]) -> dict[str, Array]:
        """Further metrics of a split, computed from the other metrics' values over the whole split; none by default.

        A perplexity is one: it is not the mean of the batches' perplexities. Pure and jittable.
        """
        return {}

    def final_metrics(self, predictor: Predictor) -> dict[str, float]:
        """Further metrics of the test split that need the trained model itself, such as those of decoded outputs.

        Called once, with the best model at the end of a run; the values are added to the summary's ``test``. None by
        default.
        """
        return {}

    def artifacts(self) -> dict[str, Any]:
        """What a trained model needs besides its parameters to be used on new data, such as scalers and vocabularies.

        Plain values, saved in the run directory, so that the model can be used without the training data. None by
        default.
        """
        return {}

    def fitted_artifacts(self, predictor: Predictor) -> dict[str, Any]:
        """Further artifacts that are computed with the trained model, such as a threshold, under names that
        ``artifacts`` does not use. None by default."""
        return {}

    def with_artifacts(self, artifacts: Mapping[str, Any]) -> Task:
        """A copy of this task that uses saved artifacts instead of the training data.

        Raises ``KeyError``, ``TypeError`` or ``ValueError`` for artifacts that the task cannot have saved.
        """
        return self

    def plot(self, predictor: Predictor) -> list[Plot]:
        """Pictures, frames, text or music that show what a trained model does; none by default."""
        return []


def all_baselines(task: Task) -> dict[str, float]:
    """The baselines of a task and the slow ones, best first."""
    values = task.baselines() | task.slow_baselines()
    return dict(sorted(values.items(), key=lambda item: item[1], reverse=task.goal == "max"))


def weighted(values: Float[Array, " batch *rest"], batch: Batch) -> tuple[Array, Array]:
    """Total and weight of per-example values; rows that only fill up a batch count nothing."""
    weights = jnp.ones(values.shape[0]) if batch.weights is None else batch.weights
    spread = weights.reshape(weights.shape + (1,) * (values.ndim - 1))
    return jnp.sum(values * spread), jnp.sum(jnp.broadcast_to(spread, values.shape))


def valid_steps(batch: Batch) -> Float[Array, "batch time"]:
    """1 at the steps that count, 0 at padding and in rows without weight; targets are ``[batch, time, ...]``."""
    valid = jnp.ones(batch.targets.shape[:2])
    if batch.lengths is not None:
        valid *= jnp.arange(valid.shape[1]) < batch.lengths[:, None]
    return valid if batch.weights is None else valid * batch.weights[:, None]


def mean(total_and_weight: tuple[Array, Array]) -> Array:
    """Total over weight; 0 when there is no weight."""
    total, weight = total_and_weight
    return total / jnp.maximum(weight, 1e-12)


def cross_entropy(logits: Float[Array, "*shape classes"], labels: Int[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Negative log-likelihood in nats of the labels under ``softmax(logits)``."""
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), labels[..., None], axis=-1)[..., 0]


def best_baseline(baselines: Mapping[str, float], goal: str) -> tuple[str, float]:
    """Name and value of the best of a task's baselines, of which there is one; ``goal`` is ``min`` or ``max``."""
    name = (min if goal == "min" else max)(baselines, key=baselines.__getitem__)
    return name, float(baselines[name])
