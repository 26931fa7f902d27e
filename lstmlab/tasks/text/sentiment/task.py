"""Sentiment: is a review positive or negative?"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lstmlab.arrays import RowNumbers
from lstmlab.settings import setting
from lstmlab.tasks.batching import ClassificationTask, accuracies, take
from lstmlab.tasks.classifier_baselines import learned_classifiers
from lstmlab.tasks.registry import register_task
from lstmlab.tasks.specs import Arrays, Batch, Features, Plot, Predictor, Split, Tokens
from lstmlab.tasks.text.sentiment.baselines import Documents, log_odds, word_and_pair_counts
from lstmlab.tasks.text.sentiment.dataset import CORPORA, Reviews, load_reviews
from lstmlab.tasks.text.sentiment.plots import NAMES, labelled_reviews

UNKNOWN = 0
"""the token of all words that are not in the vocabulary"""
SHOWN = 6
"""test reviews that are shown after a run"""


@register_task(
    "sentiment",
    title="whether a review is positive",
    data="generated reviews; or corpus=imdb, 50 000 reviews of films, by download (licence not stated)",
    paper="Maas et al. 2011; Dai & Le 2015, arXiv:1511.01432",
    published="corpus=imdb (from memory): LSTM 86.5, pretrained 92.8 % (Dai & Le 2015); 91.9 % (Johnson & Zhang 2016)",
)
@dataclasses.dataclass(frozen=True)
class Sentiment(ClassificationTask):
    """One label per review, predicted after its last word.

    The generated reviews do not replace real ones: in their grammar the label depends on negation and contrast alone
    (:func:`~lstmlab.tasks.text.sentiment.dataset.generate`). Without word order there is no information, so naive Bayes
    has an accuracy of one half, while a model that uses the order can reach 1. IMDB is the opposite: words alone give
    good results, and an LSTM trained from scratch hardly beats them.

    Words are those of :func:`~lstmlab.tasks.text.sentiment.dataset.tokenise`. The ``vocabulary`` commonest words of the
    training split are known, all others share one token. Of a review of more than ``length`` words only the last or
    the first ones are read (``keep``). ``model.readout=pooled`` reads the mean over all words, not the last state.
    """

    corpus: str = setting("generated", "the reviews: generated, or imdb (downloaded)", choices=CORPORA)
    vocabulary: int = setting(20000, "most known words", minimum=1)
    length: int = setting(400, "most words of a review that are read", minimum=1)
    keep: str = setting("last", "the part of a longer review that is read", choices=("last", "first"))

    defaults = (
        "model.hidden_size=64", "model.embedding_size=32", "training.steps=1500", "training.batch_size=32",
        "training.eval_batch_size=250", "training.log_every=50", "training.eval_every=250",
    )  # fmt: skip

    @property
    def reference_value(self) -> float:  # type: ignore[override]
        """Of IMDB 0.919 (Johnson & Zhang 2016); of generated reviews the perfect one, 1."""
        return 0.919 if self.corpus == "imdb" else 1.0

    @cached_property
    def reviews(self) -> dict[Split, Reviews]:
        """All reviews, tokenised."""
        return load_reviews(self.corpus, self.data_dir)

    @cached_property
    def index(self) -> dict[str, int]:
        """Known word → token, the commonest first; equally common words in alphabetical order."""
        counts = Counter(word for text in self.reviews["train"].texts for word in text)
        ranked = sorted(counts, key=lambda word: (-counts[word], word))
        return {word: UNKNOWN + 1 + place for place, word in enumerate(ranked[: self.vocabulary])}

    @property
    def inputs(self) -> Tokens:
        """The known words, and one token for all others."""
        return Tokens(len(self.index) + 1)

    @property
    def outputs(self) -> Features:
        """Logits of negative and positive."""
        return Features(len(NAMES))

    @cached_property
    def _splits(self) -> dict[Split, Documents]:
        longest = max(1, *(len(self._cut(text)) for part in self.reviews.values() for text in part.texts))
        return {split: self._encode(part, longest) for split, part in self.reviews.items()}

    def data(self) -> Mapping[Split, Any]:
        """Per split ``tokens [reviews, length]``, ``lengths`` and ``labels``, ``[reviews]``."""
        return {split: part._asdict() for split, part in self._splits.items()}

    def rows(self, split: Split) -> int:
        """Number of reviews."""
        return len(self._splits[split].labels)

    def pick(self, data: Arrays, rows: RowNumbers) -> Batch:
        """Reviews and their labels."""
        part = take(data, rows)
        return Batch(part["tokens"], part["labels"], lengths=part["lengths"])

    def baselines(self) -> dict[str, float]:
        """Naive Bayes on the words that the model reads, and the commoner training label."""
        train, test = self._splits["train"], self._splits["test"]
        bayes = log_odds(train, test, self.inputs.size) > 0
        commoner = np.bincount(train.labels, minlength=2).argmax()
        return accuracies({"naive Bayes": bayes, "commoner label": commoner}, test.labels)

    def slow_baselines(self) -> dict[str, float]:
        """Logistic regression of the words and pairs of words of a review, as far as the model reads it."""
        parts = self._splits["train"], self._splits["validation"], self._splits["test"]
        size = self.inputs.size
        inputs = (size, *(array for part in parts for array in part))
        found = learned_classifiers(inputs, lambda: word_and_pair_counts(*parts, vocabulary=size), neighbours=False)
        return {f"{name} of word pairs": value for name, value in found.items()}

    def plot(self, predictor: Predictor) -> list[Plot]:
        """The first test reviews of each label, and their predicted probability of being positive."""
        test = self._splits["test"]
        rows = np.concatenate([np.nonzero(test.labels == label)[0][: SHOWN // 2] for label in (1, 0)])
        batch = self.pick(test._asdict(), jnp.asarray(rows))
        positive = np.asarray(jax.nn.softmax(predictor.predict(batch), axis=-1))[:, 1]
        reviews = [self._cut(self.reviews["test"].texts[row]) for row in rows]
        return [labelled_reviews(reviews, test.labels[rows], positive, self.keep)]

    def _cut(self, text: list[str]) -> list[str]:
        """The words of a review that are read."""
        return text[-self.length :] if self.keep == "last" else text[: self.length]

    def _encode(self, reviews: Reviews, longest: int) -> Documents:
        """Tokens, padded at the end with zeros. A review without words is one unknown word."""
        tokens, lengths = np.zeros((len(reviews.texts), longest), np.int32), np.ones(len(reviews.texts), np.int32)
        for i, words in enumerate(map(self._cut, reviews.texts)):
            tokens[i, : len(words)] = [self.index.get(word, UNKNOWN) for word in words]
            lengths[i] = max(1, len(words))
        return Documents(tokens, lengths, reviews.labels)
