"""Reviews: does the writer recommend it?"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from lstmlab.settings import setting
from lstmlab.tasks.batching import ClassificationTask, accuracies, take
from lstmlab.tasks.registry import register_task
from lstmlab.tasks.task import Batch, Features, Plot, Predictor, Split, Tokens
from lstmlab.tasks.text.sentiment.baselines import Documents, log_odds
from lstmlab.tasks.text.sentiment.dataset import CORPORA, Reviews, load_reviews

NAMES = ("negative", "positive")
UNKNOWN = 0
"""the token of all words that the vocabulary lacks"""
SHOWN, SHOWN_WORDS = 6, 80


@register_task(
    "sentiment",
    title="whether a review is positive",
    data="generated reviews; or corpus=imdb, 50 000 reviews of films, by download (licence not stated)",
    paper="Maas et al. 2011; Dai & Le 2015, arXiv:1511.01432",
    published="corpus=imdb (from memory): LSTM 86.5, pretrained 92.8 % (Dai & Le 2015); 91.9 % (Johnson & Zhang 2016)",
)
@dataclasses.dataclass(frozen=True)
class Sentiment(ClassificationTask):
    """One label after the last word.

    The generated reviews are no substitute for real ones: their grammar decides the label by negation and contrast
    alone (:func:`lstmlab.tasks.text.sentiment.dataset.generate`), so that words without order carry no information and naive Bayes
    stays at one half, while a reader of the order can be right every time. In IMDB it is the other way round: words
    alone go far, and an LSTM from random weights is hard put to beat them.

    Words are those of :func:`lstmlab.tasks.text.sentiment.dataset.tokenise`; the ``vocabulary`` commonest of the training split are
    known, all others share one token. A review of more than ``length`` words keeps its end or its start (``keep``).
    ``model.readout=pooled`` reads the mean over all words in place of the last state.
    """

    corpus: str = setting("generated", "the reviews: generated, or imdb (downloaded)", choices=CORPORA)
    vocabulary: int = setting(20000, "most words that are known", minimum=1)
    length: int = setting(400, "most words of a review that are read", minimum=1)
    keep: str = setting("last", "which words of a longer review are read", choices=("last", "first"))

    defaults = (
        "model.hidden_size=64", "model.embedding_size=32", "training.steps=1500", "training.batch_size=32",
        "training.eval_batch_size=250", "training.log_every=50", "training.eval_every=250",
    )  # fmt: skip

    @cached_property
    def reviews(self) -> dict[str, Reviews]:
        """All reviews, tokenised."""
        return load_reviews(self.corpus, self.data_dir)

    @cached_property
    def index(self) -> dict[str, int]:
        """Known word → token; equally common ones in alphabetical order."""
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
    def _splits(self) -> dict[str, Documents]:
        kept = {split: [self._cut(text) for text in part.texts] for split, part in self.reviews.items()}
        longest = max(1, *(len(text) for texts in kept.values() for text in texts))
        return {split: self._encode(texts, self.reviews[split].labels, longest) for split, texts in kept.items()}

    def data(self) -> Mapping[str, Any]:
        """Per split ``tokens [reviews, length]``, ``lengths`` and ``labels``, ``[reviews]``."""
        return {split: part._asdict() for split, part in self._splits.items()}

    def rows(self, split: Split) -> int:
        """Reviews."""
        return len(self._splits[split].labels)

    def pick(self, data: Any, rows: Int[Array, " batch"]) -> Batch:
        """Reviews and their labels."""
        part = take(data, rows)
        return Batch(part["tokens"], part["labels"], lengths=part["lengths"])

    def baselines(self) -> dict[str, float]:
        """Multinomial naive Bayes on the words that the model reads, and the commoner training label."""
        train, test = self._splits["train"], self._splits["test"]
        bayes = log_odds(train, test, self.inputs.size) > 0
        commoner = np.bincount(train.labels, minlength=2).argmax()
        return accuracies({"naive Bayes": bayes, "commoner label": commoner}, test.labels)

    def plot(self, predictor: Predictor) -> list[Plot]:
        """The first test reviews of each label, and the probability of being positive that the model gives them."""
        test = self._splits["test"]
        rows = np.concatenate([np.nonzero(test.labels == label)[0][: SHOWN // 2] for label in (1, 0)])
        batch = self.pick(test._asdict(), jnp.asarray(rows))
        positive = np.asarray(jax.nn.softmax(predictor.predict(batch), axis=-1))[:, 1]
        shown = [
            f"{NAMES[test.labels[row]]}, P(positive) = {p:.3f}: {self._excerpt(self.reviews['test'].texts[row])}"
            for row, p in zip(rows, positive, strict=True)
        ]
        return [Plot("reviews", text="\n\n".join(shown))]

    def _cut(self, text: list[str]) -> list[str]:
        return text[-self.length :] if self.keep == "last" else text[: self.length]

    def _excerpt(self, text: list[str]) -> str:
        """The part of a review that is read, cut where it is long to look at."""
        words = self._cut(text)
        if len(words) <= SHOWN_WORDS:
            return " ".join(words)
        return "… " + " ".join(words[-SHOWN_WORDS:]) if self.keep == "last" else " ".join(words[:SHOWN_WORDS]) + " …"

    def _encode(self, texts: list[list[str]], labels: np.ndarray, longest: int) -> Documents:
        """Tokens, padded behind with zeros. A review without a word is one unknown word."""
        tokens = np.zeros((len(texts), longest), np.int32)
        for row, text in zip(tokens, texts, strict=True):
            row[: len(text)] = [self.index.get(word, UNKNOWN) for word in text]
        return Documents(tokens, np.array([max(1, len(text)) for text in texts], np.int32), labels)
