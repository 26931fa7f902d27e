"""Word language model: predict the next word of a text."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from lstmlab.settings import setting
from lstmlab.tasks.registry import register_task
from lstmlab.tasks.task import Plot, Predictor
from lstmlab.tasks.text.corpus import load_text
from lstmlab.tasks.text.streams import TokenStream, contiguous
from lstmlab.tasks.text.word_lm.dataset import WordVocabulary, load_ptb, load_wikitext2, tokenise

MINIMUM = {"shakespeare": 3, "ptb": 1, "wikitext2": 1}
SAMPLE_LENGTH = 120


@register_task(
    "word_lm",
    title="next word of Shakespeare's plays, of newspaper text, or of an encyclopedia",
    data="nine plays, embedded (public domain); by download the Penn Treebank (LDC, not to be passed on) and "
    "WikiText-2 (Wikipedia of 2016, CC BY-SA and GFDL)",
    paper="Mikolov et al. 2010; Zaremba, Sutskever & Vinyals 2014, arXiv:1409.2329",
    published="corpus=ptb: test perplexity 114.5 with an LSTM of 2 layers of 200, 82.7 of 650 and 78.4 of 1500 with "
    "dropout (Zaremba et al. 2014); 57.3 with AWD-LSTM (Merity et al. 2018); corpus=wikitext2: 87.7 with "
    "an LSTM of 2 layers of 650 and tied embeddings (Inan et al. 2017), 65.8 with AWD-LSTM",
)
@dataclasses.dataclass(frozen=True)
class WordLM(TokenStream):
    """Perplexity of a text's words, read in parallel streams (see :class:`~lstmlab.tasks.text.streams.TokenStream`).

    The words of ``shakespeare`` are letters with the apostrophes and hyphens within them, and single punctuation
    signs; those of ``ptb`` and ``wikitext2`` stand between spaces, in the splits that the literature uses. Every line
    break is the word ``<eos>``. Shakespeare is split like that of ``char_lm``: the first 90 % of the words, the next
    5 %, the last 5 %.

    The vocabulary is that of the training split alone: words that it has ``minimum_count`` times or more. All others
    are ``<unk>``, and a prediction of ``<unk>`` counts like any other, so that perplexities compare only between runs
    of the same corpus, ``minimum_count`` and ``lower``.

    Runs are compared by ``nats``, the mean cross-entropy per word over all words of a split; ``perplexity`` is its
    exponential.
    """

    corpus: str = setting("shakespeare", "the text", choices=tuple(MINIMUM))
    minimum_count: int = setting(0, "occurrences in training of a known word; 0: 3 for shakespeare, else 1", minimum=0)
    lower: bool = setting(False, "take capitals for small letters", choices=(False, True))
    unroll: int = setting(35, "steps of truncated back-propagation through time", minimum=1)

    metric = "nats"
    defaults = (
        "model.hidden_size=200", "model.embedding_size=200", "dropout.layer=0.5", "training.steps=3000",
        "training.batch_size=20", "training.log_every=50", "training.eval_every=250",
    )  # fmt: skip

    @cached_property
    def words(self) -> dict[str, list[str]]:
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

    def vocabulary_of(self, kept: Mapping[str, Any]) -> WordVocabulary:
        """From ``words``, ``signs`` and ``lower``."""
        return WordVocabulary.from_plain(kept)

    @cached_property
    def _splits(self) -> dict[str, np.ndarray]:
        return {split: self.vocabulary.indices(words) for split, words in self.words.items()}

    def data(self) -> Mapping[str, Any]:
        """Per split its words in order, int32 ``[words]``."""
        return self._splits

    def derived(self, means: Mapping[str, Array]) -> dict[str, Array]:
        """``perplexity``: the exponential of the nats per word."""
        return {"perplexity": jnp.exp(means["nats"])}

    def baselines(self) -> dict[str, float]:
        """Nats per word on the test split of counts of the training split::

            unigram  p(c) = (N(c) + 1)/(N + V)
            bigram   p(c | b) = (N(bc) + T(b) p(c))/(N(b·) + T(b))

        where T(b) counts the different words that follow b: interpolation by Witten & Bell 1991.
        """
        train, test, size = self._splits["train"], self._splits["test"], self.size
        unigram = np.bincount(train, minlength=size) + 1.0
        unigram /= unigram.sum()
        before, after = test[:-1], test[1:]
        pairs, counts = np.unique(train[:-1].astype(np.int64) * size + train[1:], return_counts=True)
        followers = np.bincount(pairs // size, minlength=size)
        total = np.bincount(train[:-1], minlength=size)
        wanted = before.astype(np.int64) * size + after
        place = np.minimum(np.searchsorted(pairs, wanted), len(pairs) - 1)
        seen = np.where(pairs[place] == wanted, counts[place], 0)
        # A word that nothing has followed tells nothing: the unigram is left.
        weight, of_context = followers[before], np.maximum(total[before] + followers[before], 1)
        bigram = np.where(total[before] > 0, (seen + weight * unigram[after]) / of_context, unigram[after])
        values = {
            "bigram": float(-np.log(bigram).mean()),
            "unigram": float(-np.log(unigram[after]).mean()),
            "uniform": math.log(size),
        }
        return dict(sorted(values.items(), key=lambda item: item[1]))

    def other_baselines(self) -> dict[str, dict[str, float]]:
        """The perplexities of the same."""
        return {"perplexity": {name: math.exp(nats) for name, nats in self.baselines().items()}}

    def plot(self, predictor: Predictor) -> list[Plot]:
        """What the model writes after the end of a line."""
        prompt = self.vocabulary.encode("\n")
        tokens = np.asarray(predictor.generate(prompt, SAMPLE_LENGTH, temperature=0.8))
        return [Plot("sample", text=self.vocabulary.decode(tokens))]
