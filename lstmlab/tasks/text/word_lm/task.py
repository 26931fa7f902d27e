"""Word language model: predict the next word of a text."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int32

from lstmlab.data.remembered import remembered
from lstmlab.settings import setting
from lstmlab.tasks.registry import register_task
from lstmlab.tasks.specs import Plot, Predictor, Split
from lstmlab.tasks.text.corpus import load_text
from lstmlab.tasks.text.splits import contiguous
from lstmlab.tasks.text.streams import TokenStream
from lstmlab.tasks.text.word_lm.baselines import best_ngram, word_frequencies
from lstmlab.tasks.text.word_lm.dataset import WordVocabulary, load_ptb, load_wikitext2, tokenise

MINIMUM = {"shakespeare": 3, "ptb": 1, "wikitext2": 1}
SAMPLE_LENGTH = 120


@register_task(
    "word_lm",
    title="next word of Shakespeare's plays, of newspaper text, or of an encyclopedia",
    data="nine plays, embedded (public domain); by download the Penn Treebank (LDC, no redistribution) and WikiText-2 "
    "(Wikipedia of 2016, CC BY-SA and GFDL)",
    paper="Mikolov et al. 2010; Zaremba, Sutskever & Vinyals 2014, arXiv:1409.2329",
    published="corpus=ptb: test perplexity 114.5 with an LSTM of 2 layers of 200, 82.7 of 650 and 78.4 of 1500 with "
    "dropout (Zaremba et al. 2014); 57.3 with AWD-LSTM (Merity et al. 2018); corpus=wikitext2: 87.7 with "
    "an LSTM of 2 layers of 650 and tied embeddings (Inan et al. 2017), 65.8 with AWD-LSTM",
)
@dataclasses.dataclass(frozen=True)
class WordLM(TokenStream):
    """Perplexity of a text's words, read in parallel streams (see :class:`~lstmlab.tasks.text.streams.TokenStream`).

    The words of ``shakespeare`` are letters with the apostrophes and hyphens within them, and single punctuation
    signs; those of ``ptb`` and ``wikitext2`` are separated by spaces, in the published splits. Every line break is the
    word ``<eos>``. Shakespeare is split as in ``char_lm``: the first 90 % of the words, the next 5 %, the last 5 %.

    The vocabulary comes from the training split alone: words that occur there ``minimum_count`` times or more. All
    other words are ``<unk>``. Predictions of ``<unk>`` count like all others, so perplexities can be compared only
    between runs with the same corpus, ``minimum_count`` and ``lower``.

    Runs are compared by ``nats``, the mean cross-entropy per word over all words of a split; ``perplexity`` is its
    exponential.
    """

    corpus: str = setting("shakespeare", "the text", choices=tuple(MINIMUM))
    minimum_count: int = setting(
        0, "words in the vocabulary occur this often in training, or more; 0: 3 for shakespeare, else 1", minimum=0
    )
    lower: bool = setting(False, "convert the text to lower case", choices=(False, True))
    unroll: int = setting(35, "steps of truncated back-propagation through time", minimum=1)

    metric = "nats"
    defaults = (
        "model.hidden_size=200", "model.embedding_size=200", "dropout.layer=0.5", "training.steps=3000",
        "training.batch_size=20", "training.log_every=50", "training.eval_every=250",
    )  # fmt: skip

    @property
    def reference_value(self) -> float:  # type: ignore[override]
        """Of ptb and wikitext2 by AWD-LSTM, perplexities of 57.3 and 65.8 (Merity et al. 2018); of other texts 0."""
        return math.log({"ptb": 57.3, "wikitext2": 65.8}.get(self.corpus, 1.0))

    @cached_property
    def words(self) -> dict[Split, list[str]]:
        """Per split its words in order."""
        if self.corpus != "shakespeare":
            texts = (load_ptb if self.corpus == "ptb" else load_wikitext2)(self.data_dir)
            return {split: tokenise(text, signs=False, lower=self.lower) for split, text in texts.items()}
        words = tokenise(load_text(self.corpus, self.data_dir), lower=self.lower)
        return {split: part.tolist() for split, part in contiguous(np.array(words, object)).items()}

    @cached_property
    def vocabulary(self) -> WordVocabulary:
        """The words of the training split; turns text into tokens and back."""
        minimum = self.minimum_count or MINIMUM[self.corpus]
        signs = self.corpus == "shakespeare"
        return WordVocabulary.of(self.words["train"], minimum, signs=signs, lower=self.lower)

    def vocabulary_of(self, artifacts: Mapping[str, Any]) -> WordVocabulary:
        """From ``words``, ``signs`` and ``lower``."""
        return WordVocabulary.from_plain(artifacts)

    @cached_property
    def _splits(self) -> dict[Split, Int32[np.ndarray, " words"]]:
        return {split: self.vocabulary.indices(words) for split, words in self.words.items()}

    def data(self) -> Mapping[Split, Any]:
        """Per split its words in order, int32 ``[words]``."""
        return self._splits

    def derived(self, means: Mapping[str, Array]) -> dict[str, Array]:
        """``perplexity``: the exponential of the nats per word."""
        return {"perplexity": jnp.exp(means["nats"])}

    def baselines(self) -> dict[str, float]:
        """Nats per word of counts: see :mod:`lstmlab.tasks.text.word_lm.baselines`."""
        train, validation, test = (self._splits[split] for split in ("train", "validation", "test"))
        inputs = (train, validation, test, self.size)
        ngram = remembered("word-ngram-1", inputs, lambda: best_ngram(*inputs))
        counts = word_frequencies(train, test, self.size)
        return dict(sorted((ngram | counts).items(), key=lambda item: item[1]))

    def other_baselines(self) -> dict[str, dict[str, float]]:
        """The perplexities of the same baselines."""
        return {"perplexity": {name: math.exp(nats) for name, nats in self.baselines().items()}}

    def plot(self, predictor: Predictor) -> list[Plot]:
        """What the model writes after a line break."""
        prompt = self.vocabulary.encode("\n")
        tokens = np.asarray(predictor.generate(prompt, SAMPLE_LENGTH, temperature=0.8))
        return [Plot("sample", text=self.vocabulary.decode(tokens))]
