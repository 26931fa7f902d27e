"""Grapheme to phoneme: the pronunciation of English words."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import cached_property

from lstmlab.settings import setting
from lstmlab.tasks.registry import register_task
from lstmlab.tasks.specs import Predictor, Split
from lstmlab.tasks.text.pair_data import SPECIAL, Corpus
from lstmlab.tasks.text.pairs import PairTask
from lstmlab.tasks.text.pronunciation.dataset import LETTERS, Dictionary, load_pronunciations
from lstmlab.tasks.text.pronunciation.metrics import error_rates
from lstmlab.tasks.text.splits import split_of


@register_task(
    "pronunciation",
    title="English spelling to phonemes",
    data="CMU Pronouncing Dictionary, 134 thousand pronunciations (BSD 2-clause), embedded",
    paper="Yao & Zweig 2015, arXiv:1506.00196",
    published="another split of CMUdict: PER 5.45, WER 23.55 with a bidirectional LSTM on aligned pairs (Yao & Zweig "
    "2015); PER 5.04, WER 21.69 with attention (Toshniwal & Livescu 2016)",
)
@dataclasses.dataclass(frozen=True)
class Pronunciation(PairTask):
    """Letters to phonemes, with an encoder-decoder.

    Training has all pronunciations of its words; validation and test have each word once, with its first pronunciation.
    At the end of a run the test words are decoded, and the summary's ``test`` also has, in percent,

    * ``per``, the phoneme error rate: edit distances over reference phonemes, of all words together; of several
      pronunciations the closest counts (the first of those at the same distance);
    * ``wer``, the word error rate: the share of words that match none of their pronunciations.

    Words are split by a hash (85/5/10 %), because no published split is available; published results are for other
    splits. As in the literature, stress marks are left out by default, which leaves 39 phonemes.
    """

    stress: bool = setting(False, "keep the stress marks of vowels: 69 phonemes instead of 39", choices=(False, True))
    max_letters: int = setting(20, "words with more letters are left out (20: 2 of 125 thousand)", minimum=1)
    test_words: int = setting(0, "most words in validation and in test; 0: all", minimum=0)
    beam: int = setting(1, "beam width with which the test words are decoded at the end; 1: greedy", minimum=1)

    reference_value = 0.0  # the perfect one: published are measures of decoded outputs
    defaults = (
        "model.hidden_size=128", "model.bidirectional=true", "model.attention=general", "model.embedding_size=64",
        "dropout.layer=0.1", "training.steps=900", "training.batch_size=128", "training.eval_batch_size=512",
        "training.log_every=100", "training.eval_every=300",
    )  # fmt: skip

    @property
    def beam_at_end(self) -> int:
        """The option ``beam``."""
        return self.beam

    @cached_property
    def words(self) -> dict[Split, Dictionary]:
        """Per split the words, in alphabetical order, with their pronunciations."""
        parts: dict[Split, Dictionary] = {"train": {}, "validation": {}, "test": {}}
        for word, pronunciations in load_pronunciations(stress=self.stress).items():
            if len(word) <= self.max_letters:
                parts[split_of(word)][word] = pronunciations
        if self.test_words:
            evaluation: tuple[Split, ...] = ("validation", "test")
            for split in evaluation:
                stride = max(1, len(parts[split]) // self.test_words)
                parts[split] = dict(list(parts[split].items())[::stride][: self.test_words])
        return parts

    @cached_property
    def corpus_data(self) -> Corpus:
        """Every pronunciation of the training words, and the first one of the other words."""
        sources: dict[Split, list[Sequence[str]]] = {}
        targets: dict[Split, list[Sequence[str]]] = {}
        for split, words in self.words.items():
            most = None if split == "train" else 1
            pairs = [(word, one) for word, pronunciations in words.items() for one in pronunciations[:most]]
            sources[split], targets[split] = [word for word, _ in pairs], [one for _, one in pairs]
        phonemes = sorted({phoneme for pronunciation in targets["train"] for phoneme in pronunciation})
        return Corpus(sources, targets, (*SPECIAL, *LETTERS), (*SPECIAL, *phonemes))

    def read(self, text: str) -> list[str]:
        """The letters of a word in lower case; raises ``ValueError`` for none, and for other characters."""
        letters = list(text.strip().lower())
        if not letters:
            raise ValueError("the word is empty: give at least one letter")
        for letter in letters:
            if letter not in LETTERS:
                raise ValueError(f"'{text.strip()}' holds {letter!r}, but words are of the letters a to z and '")
        return letters

    def write(self, symbols: Sequence[str]) -> str:
        """Phonemes with spaces between."""
        return " ".join(symbols)

    def show_source(self, symbols: Sequence[str]) -> str:
        """The word."""
        return "".join(symbols)

    def final_metrics(self, predictor: Predictor) -> dict[str, float]:
        """``per`` and ``wer`` of the whole test split, in percent."""
        words = self.words["test"]
        outputs = self.translate(predictor, list(words), self.beam)
        return error_rates([best[0][0] for best in outputs], list(words.values()))
