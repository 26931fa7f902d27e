"""Character language model: predict the next character of a text."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from lstmlab.data.download import DataError
from lstmlab.settings import setting
from lstmlab.tasks.registry import register_task
from lstmlab.tasks.task import Plot, Predictor
from lstmlab.tasks.text.char_lm.dataset import BYTE_CORPORA, ByteVocabulary, load_bytes
from lstmlab.tasks.text.corpus import CORPORA, CharVocabulary, load_text
from lstmlab.tasks.text.streams import TokenStream, contiguous

PROMPT = "ROMEO:"
SAMPLE_LENGTH = 500
PIECE = 1_000_000


@register_task(
    "char_lm",
    title="next character of Shakespeare's plays",
    data="nine plays, embedded (public domain); by download tiny_shakespeare (public domain), text8 and enwik8 "
    "(Wikipedia of 2006, CC BY-SA and GFDL)",
    paper="Karpathy, Johnson & Fei-Fei 2015",
    published="corpus=text8: bpc 1.50 with an LSTM of one layer of 1024 (Bai, Kolter & Koltun 2018), 1.43 with 2000 "
    "(Cooijmans et al. 2017); corpus=enwik8: 1.232 with AWD-LSTM of 47M parameters (Merity, Keskar & Socher 2018)",
)
@dataclasses.dataclass(frozen=True)
class CharLM(TokenStream):
    """Bits per character of a text, read in parallel streams (see :class:`~lstmlab.tasks.text.streams.TokenStream`).

    The splits are contiguous: the first 90 % of the text, the next 5 %, the last 5 %, which of text8 and enwik8 are
    the 90, 5 and 5 million of the literature. The vocabulary is that of the whole text, so that no split holds an
    unknown character. The "characters" of enwik8 are bytes of UTF-8.
    """

    corpus: str = setting("shakespeare", "the text", choices=(*CORPORA, *BYTE_CORPORA))

    metric = "bpc"
    defaults = (
        "model.hidden_size=256", "model.embedding_size=64", "training.steps=4000", "training.batch_size=32",
        "training.log_every=50", "training.eval_every=500",
    )  # fmt: skip
    unit = math.log(2)

    @cached_property
    def _encoded(self) -> tuple[CharVocabulary | ByteVocabulary, np.ndarray]:
        """The vocabulary and the whole corpus."""
        if self.corpus in BYTE_CORPORA:
            content = load_bytes(self.corpus, self.data_dir)
            of_bytes = ByteVocabulary.of(content)
            return of_bytes, of_bytes.indices(content)
        text = load_text(self.corpus, self.data_dir)
        vocabulary = CharVocabulary.from_text(text)
        return vocabulary, vocabulary.encode(text)

    @cached_property
    def vocabulary(self) -> CharVocabulary | ByteVocabulary:
        """All characters of the corpus; turns text into tokens and back."""
        return self._encoded[0]

    def vocabulary_of(self, kept: Mapping[str, Any]) -> CharVocabulary | ByteVocabulary:
        """From ``characters``, or from ``bytes``."""
        return (ByteVocabulary if self.corpus in BYTE_CORPORA else CharVocabulary).from_plain(kept)

    @cached_property
    def _splits(self) -> dict[str, np.ndarray]:
        vocabulary, tokens = self._encoded
        if vocabulary != self.vocabulary:
            raise DataError(
                f"{self.corpus} has {vocabulary.size} characters that are not those of the run's vocabulary"
            )
        return contiguous(tokens)

    def data(self) -> Mapping[str, Any]:
        """Per split its characters in order, ``[characters]``: int32, of text8 and enwik8 uint8."""
        return self._splits

    def baselines(self) -> dict[str, float]:
        """Bits per character on the test split of add-one-smoothed counts of the training split::

        unigram  p(c) = (N(c) + 1)/(N + V)        bigram  p(c | b) = (N(bc) + 1)/(N(b·) + V)
        """
        train, test, size = self._splits["train"], self._splits["test"], self.size
        counts = _pairs(train, size)
        unigram = counts.sum(axis=0) + 1
        unigram[train[0]] += 1
        bigram = (counts + 1) / (counts + 1).sum(axis=1, keepdims=True)
        return {
            "bigram": float(-np.log2(bigram[test[:-1], test[1:]]).mean()),
            "unigram": float(-np.log2((unigram / unigram.sum())[test[1:]]).mean()),
            "uniform": math.log2(size),
        }

    def plot(self, predictor: Predictor) -> list[Plot]:
        """What the model writes after ``ROMEO:``, or after the text's opening words."""
        try:
            prompt = self.vocabulary.encode(PROMPT)
        except ValueError:
            prompt = self._splits["train"][: len(PROMPT)]
        tokens = np.asarray(predictor.generate(prompt, SAMPLE_LENGTH, temperature=0.8))
        return [Plot("sample", text=self.vocabulary.decode(np.concatenate([prompt, tokens])))]


def _pairs(tokens: np.ndarray, size: int) -> np.ndarray:
    """How often one token follows another, ``[size, size]``; piece by piece, as a text may have 10⁸ of them."""
    counts = np.zeros(size * size, np.int64)
    for first in range(0, len(tokens) - 1, PIECE):
        piece = tokens[first : first + PIECE + 1].astype(np.int32)
        counts += np.bincount(piece[:-1] * size + piece[1:], minlength=size * size)
    return counts.reshape(size, size)
