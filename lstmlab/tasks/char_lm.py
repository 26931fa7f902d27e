"""Character language model: predict the next character of a text."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from lstmlab.data.text import CORPORA, CharVocabulary, load_text
from lstmlab.tasks.base import (
    Batch,
    Features,
    Illustration,
    Metrics,
    Predictor,
    Split,
    Task,
    Tokens,
    cross_entropy,
    field,
    mean,
)
from lstmlab.tasks.registry import register_task

SPLITS = {"train": (0.0, 0.9), "validation": (0.9, 0.95), "test": (0.95, 1.0)}
PROMPT = "ROMEO:"
SAMPLE_LENGTH = 500


@register_task(
    "char_lm",
    title="next character of Shakespeare's plays",
    data="nine plays, embedded (public domain); or tiny_shakespeare by download (public domain)",
    paper="Karpathy, Johnson & Fei-Fei 2015",
)
@dataclasses.dataclass(frozen=True)
class CharLM(Task):
    """Truncated back-propagation through time over parallel streams of one long text.

    The splits are contiguous: the first 90 % of the text, the next 5 %, the last 5 %. The
    vocabulary is that of the whole text, so that no split holds an unknown character.

    A split of n characters holds n − 1 predictions "character → next character". They are cut into
    ``batch_size`` equal streams, and a batch is one window of ``unroll`` steps of every stream.
    Successive batches are successive windows, the state is carried from one to the next, and
    ``resets`` drops it where a stream starts.

    * Training passes over its streams again and again; what does not fill a window of every stream
      is left out (fewer than ``batch_size · (unroll + 1)`` characters of each pass).
    * Evaluation leaves nothing out: every character of the split but its first is predicted exactly
      once. The end of a stream is padding, marked by ``lengths``. As the state is dropped at the
      start of each stream, fewer streams give marginally fewer bits per character.
    """

    corpus: str = field("shakespeare", "the text", choices=CORPORA)
    unroll: int = field(64, "steps of truncated back-propagation through time", minimum=1)

    metric = "bpc"
    stateful = True

    @cached_property
    def text(self) -> str:
        """The whole corpus."""
        return load_text(self.corpus, self.data_dir)

    @cached_property
    def vocabulary(self) -> CharVocabulary:
        """All characters of the corpus; turns text into tokens and back."""
        return CharVocabulary.from_text(self.text)

    @cached_property
    def _splits(self) -> dict[str, np.ndarray]:
        tokens = self.vocabulary.encode(self.text)
        size = len(tokens)
        return {name: tokens[int(a * size) : int(b * size)] for name, (a, b) in SPLITS.items()}

    @property
    def inputs(self) -> Tokens:
        """Characters as indices into the vocabulary."""
        return Tokens(self.vocabulary.size)

    @property
    def outputs(self) -> Features:
        """Logits of the next character."""
        return Features(self.vocabulary.size)

    def data(self) -> Mapping[str, Any]:
        """Per split its characters in order, int32 ``[characters]``."""
        return self._splits

    def train_batch(self, data: Int[Array, " n"], key: PRNGKeyArray, step: Int[Array, ""], batch_size: int) -> Batch:
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
        return self._window(data, step % windows, batch_size, length)

    def eval_batches(self, split: Split, batch_size: int) -> int:
        """Windows that cover the longest stream."""
        return -(-_stream_length(len(self._splits[split]), batch_size) // self.unroll)

    def eval_batch(self, data: Int[Array, " n"], split: Split, index: Int[Array, ""], batch_size: int) -> Batch:
        """Window ``index`` of every stream; ``lengths`` is 0 for streams that have ended."""
        predictions = data.shape[0] - 1
        length = _stream_length(data.shape[0], batch_size)
        batch = self._window(data, index, batch_size, length)
        of_stream = jnp.clip(predictions - jnp.arange(batch_size) * length, 0, length)
        return batch._replace(lengths=jnp.clip(of_stream - index * self.unroll, 0, self.unroll))

    def _window(self, tokens: Int[Array, " n"], window: Int[Array, ""], streams: int, length: int) -> Batch:
        """Steps ``window · unroll …`` of streams that start ``length`` characters apart."""
        first = jnp.arange(streams) * length + window * self.unroll
        place = jnp.minimum(first[:, None] + jnp.arange(self.unroll), tokens.shape[0] - 2)
        resets = (window == 0) & (jnp.arange(self.unroll) == 0)
        resets = jnp.broadcast_to(resets, (streams, self.unroll))
        tokens = jnp.asarray(tokens)
        return Batch(tokens[place], tokens[place + 1], resets=resets)

    def loss(self, outputs: Float[Array, "batch time size"], batch: Batch) -> Float[Array, ""]:
        """Mean cross-entropy over the valid steps, nats per character."""
        return math.log(2) * mean(self.metrics(outputs, batch)["bpc"])

    def metrics(self, outputs: Float[Array, "batch time size"], batch: Batch) -> Metrics:
        """Bits per character, and the share of characters that were thought the likeliest."""
        valid = _valid_steps(batch)
        bits = cross_entropy(outputs, batch.targets) / math.log(2)
        right = jnp.argmax(outputs, axis=-1) == batch.targets
        total = jnp.sum(valid)
        return {"bpc": (jnp.sum(bits * valid), total), "accuracy": (jnp.sum(right * valid), total)}

    def baselines(self) -> dict[str, float]:
        """Bits per character on the test split of add-one-smoothed counts of the training split::

        unigram  p(c) = (N(c) + 1)/(N + V)        bigram  p(c | b) = (N(bc) + 1)/(N(b·) + V)
        """
        train, test, size = self._splits["train"], self._splits["test"], self.vocabulary.size
        unigram = np.bincount(train, minlength=size) + 1
        pairs = np.ones((size, size))
        np.add.at(pairs, (train[:-1], train[1:]), 1)
        bigram = pairs / pairs.sum(axis=1, keepdims=True)
        return {
            "bigram": float(-np.log2(bigram[test[:-1], test[1:]]).mean()),
            "unigram": float(-np.log2((unigram / unigram.sum())[test[1:]]).mean()),
            "uniform": math.log2(size),
        }

    def illustrate(self, predictor: Predictor) -> list[Illustration]:
        """What the model writes after ``ROMEO:``, or after the text's opening words."""
        spelt = set(PROMPT) <= set(self.vocabulary.characters)
        prompt = PROMPT if spelt else self.text[: len(PROMPT)]
        tokens = predictor.generate(self.vocabulary.encode(prompt), SAMPLE_LENGTH, temperature=0.8)
        return [Illustration("sample", text=prompt + self.vocabulary.decode(np.asarray(tokens)))]


def _stream_length(characters: int, streams: int) -> int:
    """Steps of equal streams (the last may be shorter) that hold ``characters − 1`` predictions."""
    return -(-(characters - 1) // streams)


def _valid_steps(batch: Batch) -> Float[Array, "batch time"]:
    """1 at the steps that count, 0 at padding and in rows without weight."""
    streams, steps = batch.targets.shape
    valid = jnp.ones((streams, steps))
    if batch.lengths is not None:
        valid *= jnp.arange(steps) < batch.lengths[:, None]
    return valid if batch.weights is None else valid * batch.weights[:, None]
