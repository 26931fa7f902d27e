"""Base of language models: one long text in parallel streams, the state carried from window to window."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from lstmlab.arrays import Key, Scalar, Step
from lstmlab.settings import setting
from lstmlab.tasks.specs import Batch, Features, Metrics, Predictor, Split, Tokens
from lstmlab.tasks.task import Task, cross_entropy, mean, valid_steps


@runtime_checkable
class Vocabulary(Protocol):
    """A bijection between the known tokens and the indices 0 … size-1."""

    @property
    def size(self) -> int:
        """Number of tokens."""
        ...

    def plain(self) -> dict[str, Any]:
        """The vocabulary as plain values, for a file."""
        ...


@dataclasses.dataclass(frozen=True)
class TokenStream(Task):
    """Truncated back-propagation through time over parallel streams of one long sequence of tokens.

    A split of n tokens holds n − 1 predictions "token → next token". They are cut into ``batch_size`` equal streams,
    and a batch is one window of ``unroll`` steps of every stream. Successive batches are successive windows, the state
    is carried from one to the next, and ``resets`` marks where a stream starts and the state is reset.

    * Training passes over its streams again and again. Tokens that do not fill a window of every stream are left out
      (fewer than ``batch_size · (unroll + 1)`` of each pass). A training stream starts only once in each pass, so a
      model may come to rely on a state of thousands of steps, which no evaluation stream has at its start:
      ``reset_rate`` additionally resets the state at the start of that share of windows, at random.
    * Evaluation leaves nothing out: every token of the split but its first is predicted exactly once. The end of a
      stream is padding, marked by ``lengths``. The state is reset at the start of each stream, so fewer streams give
      marginally better values.
    * With ``dynamic_rate`` the test split is read once more, as one stream in windows of ``unroll``, by a copy of the
      best model that takes a step of plain SGD at that rate after each window (dynamic evaluation, Mikolov et al. 2010;
      Krause et al. 2018, arXiv:1709.07432). The summary has these metrics with the prefix ``dynamic_`` beside the
      others. Publications say which of the two they report; runs are compared by the metrics without dynamic
      evaluation.
    """

    unroll: int = setting(64, "steps of truncated back-propagation through time", minimum=1)

    reset_rate: float = setting(0.0, "share of training windows that start from a reset state, at random", minimum=0.0)

    dynamic_rate: float = setting(
        0.0, "learning rate of dynamic evaluation: the best model keeps learning as it reads the test split; 0: off",
        minimum=0.0,
    )  # fmt: skip

    unit: ClassVar[float] = 1.0
    """nats in one unit of the metric: ln 2 for bits"""
    stateful = True

    def __post_init__(self) -> None:
        """Check ``reset_rate``; raises ``ValueError`` for a share above 1."""
        if self.reset_rate > 1:
            raise ValueError(f"task.reset_rate is {self.reset_rate}, but must be at most 1")

    @property
    @abc.abstractmethod
    def vocabulary(self) -> Vocabulary:
        """The known tokens, from the corpus or from :meth:`with_artifacts`."""

    @abc.abstractmethod
    def vocabulary_of(self, artifacts: Mapping[str, Any]) -> Vocabulary:
        """The vocabulary in saved :meth:`artifacts`; raises ``KeyError``, ``TypeError`` or ``ValueError``."""

    @property
    def size(self) -> int:
        """Number of different tokens."""
        return self.vocabulary.size

    @abc.abstractmethod
    def data(self) -> Mapping[Split, Any]:
        """Per split its tokens in order, integers ``[tokens]``."""

    @property
    def inputs(self) -> Tokens:
        """Tokens as indices into the vocabulary."""
        return Tokens(self.size)

    @property
    def outputs(self) -> Features:
        """Logits of the next token."""
        return Features(self.size)

    def artifacts(self) -> dict[str, Any]:
        """The vocabulary, so that a trained model writes text without its corpus."""
        return self.vocabulary.plain()

    def with_artifacts(self, artifacts: Mapping[str, Any]) -> Self:
        """A copy with this vocabulary."""
        copy = dataclasses.replace(self)
        object.__setattr__(copy, "vocabulary", self.vocabulary_of(artifacts))  # in place of the cached property
        return copy

    def train_batch(self, data: Int[Array, " n"], key: Key, step: Step, batch_size: int) -> Batch:
        """The window of this step; after the last window of the streams comes the first again.

        Raises ``ValueError`` when the split is too short for one window of every stream.
        """
        length = (data.shape[0] - 1) // batch_size
        windows = length // self.unroll
        if windows == 0:
            raise ValueError(
                f"task.unroll={self.unroll} is too long: the training split cut into {batch_size} "
                f"parallel streams has {length} steps in each"
            )
        batch = self._window(data, step % windows, batch_size, length)
        if self.reset_rate == 0:
            return batch
        dropped = jax.random.bernoulli(key, self.reset_rate, (batch_size,))
        return batch._replace(resets=jnp.asarray(batch.resets).at[:, 0].max(dropped))

    def eval_batches(self, split: Split, batch_size: int) -> int:
        """Enough windows for the longest stream."""
        return -(-_stream_length(len(self.data()[split]), batch_size) // self.unroll)

    def eval_batch(self, data: Int[Array, " n"], split: Split, index: Step, batch_size: int) -> Batch:
        """Window ``index`` of every stream; ``lengths`` is 0 for streams that have ended."""
        predictions = data.shape[0] - 1
        length = _stream_length(data.shape[0], batch_size)
        batch = self._window(data, index, batch_size, length)
        stream_lengths = jnp.clip(predictions - jnp.arange(batch_size) * length, 0, length)
        return batch._replace(lengths=jnp.clip(stream_lengths - index * self.unroll, 0, self.unroll))

    def _window(self, tokens: Int[Array, " n"], window: Step, streams: int, length: int) -> Batch:
        """Steps ``window · unroll …`` of streams that start ``length`` tokens apart."""
        first = jnp.arange(streams) * length + window * self.unroll
        place = jnp.minimum(first[:, None] + jnp.arange(self.unroll), tokens.shape[0] - 2)
        resets = (window == 0) & (jnp.arange(self.unroll) == 0)
        resets = jnp.broadcast_to(resets, (streams, self.unroll))
        tokens = jnp.asarray(tokens)
        # Long texts are stored as bytes.
        return Batch(tokens[place].astype(jnp.int32), tokens[place + 1].astype(jnp.int32), resets=resets)

    def loss(self, outputs: Float[Array, "batch time size"], batch: Batch) -> Scalar:
        """Mean cross-entropy over the valid steps, nats per token."""
        return self.unit * mean(self.metrics(outputs, batch)[self.metric])

    def metrics(self, outputs: Float[Array, "batch time size"], batch: Batch) -> Metrics:
        """Cross-entropy in the unit of the metric, and accuracy, per token."""
        valid = valid_steps(batch)
        costs = cross_entropy(outputs, batch.targets) / self.unit
        right = jnp.argmax(outputs, axis=-1) == batch.targets
        total = jnp.sum(valid)
        return {self.metric: (jnp.sum(costs * valid), total), "accuracy": (jnp.sum(right * valid), total)}

    def final_metrics(self, predictor: Predictor) -> dict[str, float]:
        """The metrics under dynamic evaluation, where it is switched on."""
        if not self.dynamic_rate:
            return {}
        metrics = predictor.metrics_while_learning("test", self.dynamic_rate)
        return {f"dynamic_{name}": value for name, value in metrics.items()}


def _stream_length(tokens: int, streams: int) -> int:
    """Steps of equal streams (the last may be shorter) that hold ``tokens − 1`` predictions."""
    return -(-(tokens - 1) // streams)
