"""Grapheme to phoneme: how an English word is said."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import cached_property

from lstmlab.settings import setting
from lstmlab.tasks.registry import register_task
from lstmlab.tasks.task import Predictor
from lstmlab.tasks.text.pairs import SPECIAL, Corpus, PairTask, edit_distance
from lstmlab.tasks.text.pronunciation.dataset import LETTERS, Dictionary, load_pronunciations, split_of


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
    """Letters in, phonemes out; sequences of both end where the model says so.

    Training pairs are all pronunciations of the training words; on validation and test a word stands once, with its
    first pronunciation. At the end the test words are decoded, and the summary's ``test`` gains, in percent,

    * ``per``, the phoneme error rate: edit distances over reference phonemes, of all words together; of several
      pronunciations the closest counts (the first of those at the same distance);
    * ``wer``, the word error rate: the share of words that match none of their pronunciations.

    Words are split by a hash (85/5/10 %), as no split of the literature is public; published figures are of others.
    As in the literature, stress marks are left out by default, which leaves 39 phonemes.
    """

    stress: bool = setting(False, "keep the stress marks of vowels: 69 phonemes instead of 39", choices=(False, True))
    max_letters: int = setting(20, "words that have more letters are left out (20: 2 of 125 thousand)", minimum=1)
    test_words: int = setting(0, "most words of each of validation and test; 0: all", minimum=0)
    beam: int = setting(1, "hypotheses kept when the test words are decoded at the end; 1: greedy", minimum=1)

    defaults = (
        "model.hidden_size=128", "model.bidirectional=true", "model.attention=general", "model.embedding_size=64",
        "dropout.layer=0.1", "training.steps=900", "training.batch_size=128", "training.eval_batch_size=512",
        "training.log_every=100", "training.eval_every=300",
    )  # fmt: skip

    @property
    def beam_at_end(self) -> int:
        """As configured."""
        return self.beam

    @cached_property
    def words(self) -> dict[str, Dictionary]:
        """Per split the words, in the order of the alphabet, with their pronunciations."""
        parts: dict[str, Dictionary] = {"train": {}, "validation": {}, "test": {}}
        for word, said in load_pronunciations(stress=self.stress).items():
            if len(word) <= self.max_letters:
                parts[split_of(word)][word] = said
        if self.test_words:
            for split in ("validation", "test"):
                every = max(1, len(parts[split]) // self.test_words)
                parts[split] = dict(list(parts[split].items())[::every][: self.test_words])
        return parts

    @cached_property
    def corpus_data(self) -> Corpus:
        """Every pronunciation of the training words, and the first of the others'."""
        sources: dict = {}
        targets: dict = {}
        for split, words in self.words.items():
            pairs = [(w, p) for w, said in words.items() for p in (said if split == "train" else said[:1])]
            sources[split], targets[split] = [w for w, _ in pairs], [p for _, p in pairs]
        phonemes = sorted({phoneme for said in targets["train"] for phoneme in said})
        return Corpus(sources, targets, (*SPECIAL, *LETTERS), (*SPECIAL, *phonemes))

    def read(self, text: str) -> list[str]:
        """The letters of a word; capitals count as small ones."""
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
        written = self.translate(predictor, list(words), self.beam)
        return error_rates([best[0][0] for best in written], list(words.values()))


def error_rates(outputs: Sequence[Sequence[str]], references: Sequence[Sequence[Sequence[str]]]) -> dict[str, float]:
    """``per`` and ``wer`` in percent; each output has one or more references."""
    errors = phonemes = wrong = 0
    for output, said in zip(outputs, references, strict=True):
        distance, length = min(((edit_distance(output, one), len(one)) for one in said), key=lambda pair: pair[0])
        errors, phonemes, wrong = errors + distance, phonemes + length, wrong + (distance > 0)
    return {"per": 100 * errors / phonemes, "wer": 100 * wrong / len(outputs)}
