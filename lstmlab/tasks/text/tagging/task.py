"""Parts of speech: name the class of every word of a sentence."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from lstmlab.settings import setting
from lstmlab.tasks.batching import RowsTask
from lstmlab.tasks.registry import register_task
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
    valid_steps,
)
from lstmlab.tasks.text.tagging.baselines import commonest_tags, share_right
from lstmlab.tasks.text.tagging.dataset import TAGS, Sentence, load_brown
from lstmlab.tasks.text.tagging.words import ShapeVocabulary

_OF_TEN: dict[str, tuple[int, ...]] = {"train": tuple(range(8)), "validation": (8,), "test": (9,)}


@register_task(
    "tagging",
    title="part of speech of every word",
    data="250 documents of the Brown corpus, embedded (redistribution permitted); 12 universal tags",
    paper="Huang, Xu & Yu 2015, arXiv:1508.01991; tags: Petrov, Das & McDonald 2012, arXiv:1104.2086",
    published="other data (newspaper text, 45 Penn tags): bidirectional LSTMs about 97 % (from memory)",
)
@dataclasses.dataclass(frozen=True)
class Tagging(RowsTask):
    """Sentences with one universal tag per word: a task for a bidirectional model, as words that follow count too.

    Of every ten documents eight train, one validates and one tests: neighbouring sentences share topic and names, so
    that a split by sentences would flatter the result. Sentences of more than ``length`` words are read in pieces;
    every word counts once.

    The twelve universal tags rather than Brown's 472 combinations: most of those differ in inflection that the word
    itself shows, many are too rare to learn from half the corpus, and twelve can be looked at in one table.

    A word seen in training ``min_count`` times or more is a token of its own; any other is a class of words by shape
    and ending (:class:`lstmlab.tasks.text.tagging.words.ShapeVocabulary`). So that the model learns these classes from more than the
    rare words, a training word of count c is read as its class with probability α/(α + c), with α = ``word_dropout``
    (Kiperwasser & Goldberg 2016, arXiv:1603.04351).

    Metrics: ``accuracy`` over all words, ``unknown_accuracy`` over those whose token is a class, ``nats`` per word.
    """

    min_count: int = setting(2, "occurrences in training from which a word is known", minimum=1)
    word_dropout: float = setting(1.0, "α of α/(α + count), how often a known word is read as its class", minimum=0.0)
    length: int = setting(48, "most words read at once; longer sentences are cut into pieces", minimum=2)

    metric = "accuracy"
    goal = "max"
    defaults = (
        "model.hidden_size=128", "model.embedding_size=64", "model.bidirectional=true", "dropout.layer=0.3",
        "training.steps=3000", "training.batch_size=32", "training.eval_batch_size=256", "training.log_every=50",
        "training.eval_every=250",
    )  # fmt: skip

    @cached_property
    def sentences(self) -> dict[str, list[Sentence]]:
        """All sentences of each split, whole documents in order."""
        documents = list(load_brown().values())
        return {
            split: [s for place, document in enumerate(documents) if place % 10 in chosen for s in document]
            for split, chosen in _OF_TEN.items()
        }

    @cached_property
    def vocabulary(self) -> ShapeVocabulary:
        """Known words and classes of unknown ones, of the training split."""
        return ShapeVocabulary.of([s.words for s in self.sentences["train"]], self.min_count)

    @property
    def inputs(self) -> Tokens:
        """Known words, and classes of unknown ones."""
        return Tokens(self.vocabulary.size)

    @property
    def outputs(self) -> Features:
        """One logit per tag."""
        return Features(len(TAGS))

    @cached_property
    def splits(self) -> dict[str, dict[str, np.ndarray]]:
        """See :meth:`data`."""
        return {split: self._encode(sentences) for split, sentences in self.sentences.items()}

    def data(self) -> Mapping[str, Any]:
        """Per split ``words``, ``classes`` and ``tags``, ``[pieces, length]``, and ``lengths [pieces]``; for training
        also ``dropout [vocabulary]``, the probability of a word to be read as its class."""
        counts = self.vocabulary.counts
        rates = np.zeros(self.vocabulary.size, np.float32)
        rates[: len(counts)] = self.word_dropout / (self.word_dropout + counts)
        return {**self.splits, "train": {**self.splits["train"], "dropout": rates}}

    def train_batch(self, data: Any, key: PRNGKeyArray, step: Int[Array, ""], batch_size: int) -> Batch:
        """Pieces drawn at random, some known words hidden behind their class."""
        drawn, hidden = jax.random.split(key)
        rows = self.draw(drawn, batch_size)
        batch = self.pick(data, rows)
        hide = jax.random.bernoulli(hidden, jnp.asarray(data["dropout"])[batch.inputs])
        return batch._replace(inputs=jnp.where(hide, jnp.asarray(data["classes"])[rows], batch.inputs))

    def rows(self, split: Split) -> int:
        """Pieces of sentences."""
        return len(self.splits[split]["lengths"])

    def pick(self, data: Any, rows: Int[Array, " batch"]) -> Batch:
        """Pieces as they are, and their tags."""
        words, tags, lengths = (jnp.asarray(data[name])[rows] for name in ("words", "tags", "lengths"))
        return Batch(words, tags.astype(jnp.int32), lengths=lengths)

    def loss(self, outputs: Float[Array, "batch time tags"], batch: Batch) -> Float[Array, ""]:
        """Mean cross-entropy per word, nats."""
        return mean(self.metrics(outputs, batch)["nats"])

    def metrics(self, outputs: Float[Array, "batch time tags"], batch: Batch) -> Metrics:
        """Share of words, and of unknown words, whose tag is right; cross-entropy per word."""
        counted = valid_steps(batch)
        unknown = counted * (batch.inputs >= len(self.vocabulary.known))
        right = jnp.argmax(outputs, axis=-1) == batch.targets
        return {
            "accuracy": (jnp.sum(right * counted), jnp.sum(counted)),
            "unknown_accuracy": (jnp.sum(right * unknown), jnp.sum(unknown)),
            "nats": (jnp.sum(cross_entropy(outputs, batch.targets) * counted), jnp.sum(counted)),
        }

    def baselines(self) -> dict[str, float]:
        """The commonest training tag of each word, and for unknown words that of their class, or of all unknown words;
        and the commonest tag of all."""
        return self._yardsticks["accuracy"]

    def other_baselines(self) -> dict[str, dict[str, float]]:
        """The same for unknown words."""
        return {"unknown_accuracy": self._yardsticks["unknown_accuracy"]}

    @cached_property
    def _yardsticks(self) -> dict[str, dict[str, float]]:
        train, test = self.splits["train"], self.splits["test"]
        known = len(self.vocabulary.known)
        tables = commonest_tags(train, known, self.vocabulary.size, len(TAGS))
        return {
            "accuracy": {name: share_right(table, test) for name, table in tables.items()},
            "unknown_accuracy": {name: share_right(table, test, known) for name, table in tables.items()},
        }

    def plot(self, predictor: Predictor) -> list[Plot]:
        """Test sentences with the tags that the model gives them, and which tags it takes for which."""
        from lstmlab.tasks.text.tagging.plots import plot

        return plot(self, predictor)

    def _encode(self, sentences: list[Sentence]) -> dict[str, np.ndarray]:
        """Pieces of sentences, padded with zeros."""
        columns: list[tuple[list[int], list[int], tuple[int, ...]]] = []
        for sentence in sentences:
            words, classes = self.vocabulary.encode(sentence.words)
            for start in range(0, len(words), self.length):
                end = start + self.length
                columns.append((words[start:end], classes[start:end], sentence.tags[start:end]))
        arrays = {
            name: np.zeros((len(columns), self.length), dtype)
            for name, dtype in (("words", np.int32), ("classes", np.int32), ("tags", np.uint8))
        }
        for row, values in enumerate(columns):
            for array, column in zip(arrays.values(), values, strict=True):
                array[row, : len(column)] = column
        return {**arrays, "lengths": np.array([len(words) for words, _, _ in columns], np.int32)}
