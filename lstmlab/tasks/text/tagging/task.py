"""Part-of-speech tagging: the word class of every word of a sentence."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from lstmlab.arrays import Key, RowNumbers, Scalar, Step
from lstmlab.settings import setting
from lstmlab.tasks.batching import RowsTask
from lstmlab.tasks.registry import register_task
from lstmlab.tasks.specs import Arrays, Batch, Features, Metrics, Plot, Predictor, Split, Tokens
from lstmlab.tasks.task import cross_entropy, mean, valid_steps
from lstmlab.tasks.text.tagging.baselines import commonest_tags, hmm_tags, share_right
from lstmlab.tasks.text.tagging.dataset import TAGS, Sentence, ShapeVocabulary, load_brown
from lstmlab.tasks.text.tagging.plots import plots

_OF_TEN: dict[Split, tuple[int, ...]] = {"train": tuple(range(8)), "validation": (8,), "test": (9,)}
"""of every ten documents, the places of those in each split"""
SHOWN, ROWS = 1024, 256
"""test pieces that are shown after a run, and those in one batch"""


@register_task(
    "tagging",
    title="part of speech of every word",
    data="250 documents of the Brown corpus, embedded (redistribution permitted); 12 universal tags",
    paper="Huang, Xu & Yu 2015, arXiv:1508.01991; tags: Petrov, Das & McDonald 2012, arXiv:1104.2086",
    published="other data (newspaper text, 45 Penn tags): bidirectional LSTMs about 97 % (from memory)",
)
@dataclasses.dataclass(frozen=True)
class Tagging(RowsTask):
    """Sentences with one universal tag per word. The words that follow matter too, so it suits bidirectional models.

    Of every ten documents eight are for training, one is for validation and one for the test. A split by sentences
    would give better but misleading results, because neighbouring sentences share topic and names. Sentences of more
    than ``length`` words are read in pieces; every word counts once.

    Why twelve universal tags and not Brown's 472: most of those differ in inflection that the word itself shows, many
    are too rare to learn from half the corpus, and twelve fit into one confusion matrix.

    A word that occurs in training ``min_count`` times or more is a token; all others are read as classes of words by
    shape and ending (:class:`~lstmlab.tasks.text.tagging.dataset.ShapeVocabulary`). So that these classes are learned
    from more than the rare words, a training word of count c is read as its class with probability α/(α + c), where
    α = ``word_dropout`` (Kiperwasser & Goldberg 2016, arXiv:1603.04351).

    Metrics: ``accuracy`` over all words, ``unknown_accuracy`` over unknown words, ``nats`` per word.
    """

    min_count: int = setting(2, "known words occur this often in training, or more", minimum=1)
    word_dropout: float = setting(
        1.0, "α in α/(α + count), the probability that a known training word is read as its class", minimum=0.0
    )
    length: int = setting(48, "longest sentence, in words; longer ones are cut into pieces", minimum=2)

    metric = "accuracy"
    goal = "max"
    reference_value = 1.0  # the perfect one
    defaults = (
        "model.hidden_size=128", "model.embedding_size=64", "model.bidirectional=true", "dropout.layer=0.3",
        "training.steps=3000", "training.batch_size=32", "training.eval_batch_size=256", "training.log_every=50",
        "training.eval_every=250",
    )  # fmt: skip

    @cached_property
    def sentences(self) -> dict[Split, list[Sentence]]:
        """All sentences of each split, whole documents in order."""
        documents = list(load_brown().values())
        return {
            split: [s for place, document in enumerate(documents) if place % 10 in chosen for s in document]
            for split, chosen in _OF_TEN.items()
        }

    @cached_property
    def vocabulary(self) -> ShapeVocabulary:
        """Known words and classes of unknown words, from the training split."""
        return ShapeVocabulary.of([s.words for s in self.sentences["train"]], self.min_count)

    @property
    def inputs(self) -> Tokens:
        """Known words, and classes of unknown words."""
        return Tokens(self.vocabulary.size)

    @property
    def outputs(self) -> Features:
        """A logit for each tag."""
        return Features(len(TAGS))

    @cached_property
    def splits(self) -> dict[Split, dict[str, np.ndarray]]:
        """See :meth:`data`."""
        return {split: self._encode(sentences) for split, sentences in self.sentences.items()}

    def data(self) -> Mapping[Split, Any]:
        """Per split ``words``, ``classes`` and ``tags``, ``[pieces, length]``, and ``lengths [pieces]``; for training
        also ``dropout [vocabulary]``, the probability that a word is read as its class."""
        counts = self.vocabulary.counts
        rates = np.zeros(self.vocabulary.size, np.float32)
        rates[: len(counts)] = self.word_dropout / (self.word_dropout + counts)
        return {**self.splits, "train": {**self.splits["train"], "dropout": rates}}

    def train_batch(self, data: Arrays, key: Key, step: Step, batch_size: int) -> Batch:
        """Random pieces; some known words are replaced by their class."""
        drawn, hidden = jax.random.split(key)
        rows = self.draw(drawn, batch_size)
        batch = self.pick(data, rows)
        hide = jax.random.bernoulli(hidden, jnp.asarray(data["dropout"])[batch.inputs])
        return batch._replace(inputs=jnp.where(hide, jnp.asarray(data["classes"])[rows], batch.inputs))

    def rows(self, split: Split) -> int:
        """Number of pieces of sentences."""
        return len(self.splits[split]["lengths"])

    def pick(self, data: Arrays, rows: RowNumbers) -> Batch:
        """Pieces of sentences, and their tags."""
        words, tags, lengths = (jnp.asarray(data[name])[rows] for name in ("words", "tags", "lengths"))
        return Batch(words, tags.astype(jnp.int32), lengths=lengths)

    def loss(self, outputs: Float[Array, "batch time tags"], batch: Batch) -> Scalar:
        """Mean cross-entropy per word, nats."""
        return mean(self.metrics(outputs, batch)["nats"])

    def metrics(self, outputs: Float[Array, "batch time tags"], batch: Batch) -> Metrics:
        """Accuracy over all words and over unknown words; cross-entropy per word."""
        counted = valid_steps(batch)
        unknown = counted * (batch.inputs >= len(self.vocabulary.known))
        right = jnp.argmax(outputs, axis=-1) == batch.targets
        return {
            "accuracy": (jnp.sum(right * counted), jnp.sum(counted)),
            "unknown_accuracy": (jnp.sum(right * unknown), jnp.sum(unknown)),
            "nats": (jnp.sum(cross_entropy(outputs, batch.targets) * counted), jnp.sum(counted)),
        }

    def baselines(self) -> dict[str, float]:
        """Commonest tags by word, class or overall, and a hidden Markov model: see :mod:`~.tagging.baselines`."""
        return self._baselines["accuracy"]

    def other_baselines(self) -> dict[str, dict[str, float]]:
        """The same baselines for unknown words."""
        return {"unknown_accuracy": self._baselines["unknown_accuracy"]}

    @cached_property
    def _baselines(self) -> dict[str, dict[str, float]]:
        train, validation, test = (self.splits[split] for split in ("train", "validation", "test"))
        known, size = len(self.vocabulary.known), self.vocabulary.size
        tables = commonest_tags(train, known, size, len(TAGS))
        guesses = {name: table[test["words"]] for name, table in tables.items()}
        guesses["hidden Markov model"] = hmm_tags(train, validation, test, size, len(TAGS))
        values = {
            "accuracy": {name: share_right(guess, test) for name, guess in guesses.items()},
            "unknown_accuracy": {name: share_right(guess, test, known) for name, guess in guesses.items()},
        }
        return {metric: dict(sorted(of.items(), key=lambda item: -item[1])) for metric, of in values.items()}

    def plot(self, predictor: Predictor) -> list[Plot]:
        """Test sentences with their predicted tags, and a confusion matrix."""
        test = self.splits["test"]
        shown = min(len(test["lengths"]), SHOWN)
        batches = [self.pick(test, jnp.arange(start, min(start + ROWS, shown))) for start in range(0, shown, ROWS)]
        predictions = [np.asarray(jnp.argmax(predictor.predict(batch), axis=-1)) for batch in batches]
        return plots(self.sentences["test"], test, np.concatenate(predictions), len(self.vocabulary.known))

    def _encode(self, sentences: list[Sentence]) -> dict[str, np.ndarray]:
        """Sentences as pieces, padded with zeros."""
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
