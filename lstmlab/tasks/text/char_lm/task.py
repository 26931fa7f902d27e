"""Character language model: predict the next character of a text."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Int

from lstmlab.data.download import DataError
from lstmlab.data.remembered import remembered
from lstmlab.settings import setting
from lstmlab.tasks.registry import register_task
from lstmlab.tasks.specs import Plot, Predictor, Split
from lstmlab.tasks.text.char_lm.baselines import best_ngram, character_frequencies
from lstmlab.tasks.text.char_lm.dataset import BYTE_CORPORA, ByteVocabulary, load_bytes
from lstmlab.tasks.text.corpus import CORPORA, CharVocabulary, load_text
from lstmlab.tasks.text.splits import contiguous
from lstmlab.tasks.text.streams import TokenStream

PROMPT = "ROMEO:"
SAMPLE_LENGTH = 500
SHORT = 3_000_000  # characters of training whose n-grams are counted in seconds


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

    The splits are contiguous: the first 90 % of the text, the next 5 %, the last 5 %. For text8 and enwik8 these are
    the usual 90, 5 and 5 million characters. The vocabulary is that of the whole text, so that no split has an unknown
    character. The "characters" of enwik8 are bytes of UTF-8.
    """

    corpus: str = setting("shakespeare", "the text", choices=(*CORPORA, *BYTE_CORPORA))

    metric = "bpc"
    defaults = (
        "model.hidden_size=256", "model.embedding_size=64", "training.steps=4000", "training.batch_size=32",
        "training.log_every=50", "training.eval_every=500",
    )  # fmt: skip
    unit = math.log(2)

    @property
    def reference_value(self) -> float:  # type: ignore[override]
        """Of text8 1.43 (Cooijmans et al. 2017), of enwik8 1.232 (Merity, Keskar & Socher 2018); of other texts 0."""
        return {"text8": 1.43, "enwik8": 1.232}.get(self.corpus, 0.0)

    @cached_property
    def _encoded(self) -> tuple[CharVocabulary | ByteVocabulary, Int[np.ndarray, " characters"]]:
        """The vocabulary and the whole corpus."""
        if self.corpus in BYTE_CORPORA:
            content = load_bytes(self.corpus, self.data_dir)
            byte_vocabulary = ByteVocabulary.of(content)
            return byte_vocabulary, byte_vocabulary.indices(content)
        text = load_text(self.corpus, self.data_dir)
        vocabulary = CharVocabulary.from_text(text)
        return vocabulary, vocabulary.encode(text)

    @cached_property
    def vocabulary(self) -> CharVocabulary | ByteVocabulary:
        """All characters of the corpus; turns text into tokens and back."""
        return self._encoded[0]

    def vocabulary_of(self, artifacts: Mapping[str, Any]) -> CharVocabulary | ByteVocabulary:
        """From ``characters``, or from ``bytes``."""
        return (ByteVocabulary if self.corpus in BYTE_CORPORA else CharVocabulary).from_plain(artifacts)

    @cached_property
    def _splits(self) -> dict[Split, Int[np.ndarray, " characters"]]:
        vocabulary, tokens = self._encoded
        if vocabulary != self.vocabulary:
            raise DataError(
                f"{self.corpus} has {vocabulary.size} characters that are not those of the run's vocabulary"
            )
        return contiguous(tokens)

    def data(self) -> Mapping[Split, Any]:
        """Per split its characters in order, ``[characters]``: int32, for text8 and enwik8 uint8."""
        return self._splits

    def baselines(self) -> dict[str, float]:
        """Bits per character of counts: see :func:`~lstmlab.tasks.text.char_lm.baselines.character_frequencies`. The
        best n-gram is among them where it takes seconds."""
        counts = character_frequencies(self._splits["train"], self._splits["test"], self.size)
        values = counts | (self._ngram() if self._is_short else {})
        return dict(sorted(values.items(), key=lambda item: item[1]))

    def slow_baselines(self) -> dict[str, float]:
        """The best n-gram of a long text, which takes minutes."""
        return {} if self._is_short else self._ngram()

    @property
    def _is_short(self) -> bool:
        return len(self._splits["train"]) <= SHORT

    def _ngram(self) -> dict[str, float]:
        inputs = (self._splits["train"], self._splits["validation"], self._splits["test"], self.size)
        return remembered("char-ngram-1", inputs, lambda: best_ngram(*inputs))

    def plot(self, predictor: Predictor) -> list[Plot]:
        """What the model writes after ``ROMEO:``, or after the first characters of the text where these are unknown."""
        try:
            prompt = self.vocabulary.encode(PROMPT)
        except ValueError:
            prompt = self._splits["train"][: len(PROMPT)]
        tokens = np.asarray(predictor.generate(prompt, SAMPLE_LENGTH, temperature=0.8))
        return [Plot("sample", text=self.vocabulary.decode(np.concatenate([prompt, tokens])))]
