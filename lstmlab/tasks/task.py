"""What a task is: data, batches, a loss, metrics, and the yardsticks printed beside every result.

A task is a frozen dataclass whose fields are its options (``task.length=200`` on the command line). Its methods are
pure functions of arrays, so that batches are drawn and losses computed inside one compiled program. It knows nothing
of models beyond the shapes that go in and come out.
"""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from lstmlab.settings import Setting, settings_of
from lstmlab.tasks.specs import Batch, Features, Pairs, Plot, Predictor, SourceTarget, Split, Tokens

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
    "cross_entropy",
    "from_data_section",
    "mean",
    "take_rows",
    "valid_steps",
    "weighted",
]  # fmt: skip

Metrics = dict[str, tuple[Array, Array]]
"""Per metric a total and its weight; the metric of a split is the sum of totals over the sum of weights."""


DATA_KEY = "data_key"
"""where :func:`from_data_section` notes the key"""


def from_data_section(key: str, default: Any = None) -> Any:
    """A field that the section ``data`` of the configuration sets, such as ``data.dir``, rather than ``task``."""
    return dataclasses.field(default=default, kw_only=True, metadata={DATA_KEY: key})


@dataclasses.dataclass(frozen=True)
class Task(abc.ABC):
    """Base of all tasks. Arrays of ``data()`` go to the device once and come back as ``data`` arguments."""

    data_dir: str | None = from_data_section("dir")

    name: ClassVar[str]
    metric: ClassVar[str]
    """the metric by which runs are compared, stopped and chosen"""
    goal: ClassVar[Literal["min", "max"]] = "min"
    readout: ClassVar[Literal["steps", "last"]] = "steps"
    """whether the loss reads the output at every step, ``[batch, time, ...]``, or after the last, ``[batch, ...]``"""
    architecture: ClassVar[str] = "sequence"
    """the form of model that the task needs, a name in ``lstmlab.models.ARCHITECTURES``; a property where options
    decide"""
    stateful: ClassVar[bool] = False
    """successive batches continue each other's sequences, so the state is carried (truncated BPTT)"""
    causal: ClassVar[bool] = False
    """an output may not depend on later inputs of its sequence, which hold what it is to predict"""
    solved: ClassVar[float | None] = None
    """value of the metric from which the task counts as solved; a property where options decide"""
    defaults: ClassVar[tuple[str, ...]] = ()
    """defaults of other sections of the configuration with this task, such as ``training.steps=3000``"""

    @classmethod
    def settings(cls) -> dict[str, Setting]:
        """What the section ``task`` sets, by name."""
        return settings_of(cls)

    @property
    @abc.abstractmethod
    def inputs(self) -> Tokens | Features | Pairs:
        """What one step of input looks like."""

    @property
    @abc.abstractmethod
    def outputs(self) -> Features:
        """What one step of output looks like."""

    def data(self) -> Mapping[str, Any]:
        """Arrays per split, as NumPy arrays; empty for tasks that are generated on the device."""
        return {"train": (), "validation": (), "test": ()}

    @abc.abstractmethod
    def train_batch(self, data: Any, key: PRNGKeyArray, step: Int[Array, ""], batch_size: int) -> Batch:
        """The training batch of an optimiser step; ``data`` is ``data()["train"]``. Pure and jittable."""

    @abc.abstractmethod
    def eval_batches(self, split: Split, batch_size: int) -> int:
        """Number of batches that cover a split."""

    @abc.abstractmethod
    def eval_batch(self, data: Any, split: Split, index: Int[Array, ""], batch_size: int) -> Batch:
        """Batch ``index`` of a split, always the same one; ``data`` is ``data()[split]``. Pure and jittable."""

    @abc.abstractmethod
    def loss(self, outputs: Array, batch: Batch) -> Float[Array, ""]:
        """What training minimises: a mean over the batch."""

    @abc.abstractmethod
    def metrics(self, outputs: Array, batch: Batch) -> Metrics:
        """Totals and weights of every metric; must contain ``metric``."""

    @abc.abstractmethod
    def baselines(self) -> dict[str, float]:
        """The trivial predictors' values of ``metric`` on the test split, by name; the best known first."""

    def other_baselines(self) -> dict[str, dict[str, float]]:
        """Per further metric the trivial predictors' values on the test split; none by default."""
        return {}

    def derived(self, means: Mapping[str, Array]) -> dict[str, Array]:
        """Further metrics of a split that follow from the others' values over the whole split, such as a perplexity,
        which is no mean of the batches' perplexities; none by default. Pure and jittable.
        """
        return {}

    def final_metrics(self, predictor: Predictor) -> dict[str, float]:
        """Further metrics of the test split that need the trained model itself, such as those of decoded outputs.

        Asked once, of the best model at the end of a run, and added to the summary's ``test``; none by default.
        """
        return {}

    def artifacts(self) -> dict[str, Any]:
        """What a trained model needs besides its parameters to be used on new data, such as scalers and names; plain
        values, kept in the run directory so that the training data may move. Nothing by default.
        """
        return {}

    def fitted_artifacts(self, predictor: Predictor) -> dict[str, Any]:
        """What it needs besides that depends on the trained model, such as a threshold; kept likewise, under other
        names than those of ``artifacts``. Nothing by default.
        """
        return {}

    def with_artifacts(self, kept: Mapping[str, Any]) -> Task:
        """The same task with what it has kept at hand; raises ``KeyError``, ``TypeError`` or ``ValueError`` for what
        it cannot have kept.
        """
        return self

    def plot(self, predictor: Predictor) -> list[Plot]:
        """Pictures, frames or text that show what a trained model does; none by default."""
        return []


def weighted(values: Float[Array, " batch *rest"], batch: Batch) -> tuple[Array, Array]:
    """Total and weight of per-example values, leaving out rows that only fill up a batch."""
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


def take_rows(arrays: Any, index: Int[Array, ""], batch_size: int, rows: int) -> tuple[Any, Array]:
    """Rows ``index · batch_size …`` of every array and their weights: 0 past the end of the split."""
    wanted = index * batch_size + jnp.arange(batch_size)
    weights = (wanted < rows).astype(jnp.float32)
    wanted = jnp.minimum(wanted, rows - 1)
    return jax.tree.map(lambda a: a[wanted], arrays), weights
