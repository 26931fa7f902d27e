"""Translation: sentences of one language to sentences of another."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from functools import cached_property

from lstmlab.settings import setting
from lstmlab.tasks.registry import register_task
from lstmlab.tasks.specs import Predictor, Split
from lstmlab.tasks.text.pair_data import SPECIAL, Corpus
from lstmlab.tasks.text.pairs import PairTask
from lstmlab.tasks.text.translation.dataset import CORPORA, LARGEST, Sentences, load_translations, tokenise
from lstmlab.tasks.text.translation.metrics import scores

DIGITS = len(str(LARGEST))


@register_task(
    "translation",
    title="sentences of one language to another",
    data="numbers in English and German words, generated; or corpus=multi30k, 30 000 captions of photographs in both, "
    "by download (licence not stated)",
    paper="Sutskever, Vinyals & Le 2014, arXiv:1409.3215; Multi30k: Elliott et al. 2016, arXiv:1605.00459",
    published="corpus=multi30k (from memory): attention models that read the text alone reach about 33 to 37 BLEU",
)
@dataclasses.dataclass(frozen=True)
class Translation(PairTask):
    """Words to words, with an encoder-decoder.

    ``numbers`` works offline and stands in for a language: numbers of up to ``digits`` digits, from English words to
    the parts of the German word. Translating word for word is not enough: in German, ones come before tens, and whether
    1 is *ein* or *eins* depends on what follows. No number of validation and test is in training. Multi30k has the
    published splits.

    Sentences are read in lower case, words and signs apart (:func:`~lstmlab.tasks.text.translation.dataset.tokenise`).
    Words that occur ``min_count`` times or more in training are known, all others share one token. Training pairs with
    more than ``length`` words on either side are left out; validation and test are complete.

    At the end of a run the test sentences are decoded, and the summary's ``test`` also has, in percent, ``bleu``, the
    BLEU of sacreBLEU (Post 2018, arXiv:1804.08771) over these words and signs,
    ``nrefs:1|case:mixed|eff:no|tok:none|smooth:exp``, and ``exact``, the share of sentences that equal their reference.
    The unknown word counts as a word that is always wrong.
    """

    corpus: str = setting("numbers", "the sentences; multi30k is downloaded", choices=CORPORA)
    direction: str = setting("en-de", "source and target language", choices=("en-de", "de-en"))
    digits: int = setting(DIGITS, "corpus=numbers: most digits, 3 to 6", minimum=3)
    min_count: int = setting(2, "known words occur this often in training, or more", minimum=1)
    length: int = setting(40, "longest training sentence, in words, on either side", minimum=1)
    beam: int = setting(1, "beam width with which the test split is decoded at the end; 1: greedy", minimum=1)

    reference_value = 0.0  # the perfect one: published are measures of decoded outputs
    defaults = (
        "model.hidden_size=128", "model.bidirectional=true", "model.attention=general", "model.embedding_size=64",
        "dropout.layer=0.1", "training.steps=600", "training.batch_size=128", "training.eval_batch_size=500",
        "training.log_every=50", "training.eval_every=150",
    )  # fmt: skip

    def __post_init__(self) -> None:
        """Check ``digits``; raises ``ValueError`` for numbers that have no words here."""
        if self.digits > DIGITS:
            raise ValueError(f"task.digits={self.digits} is too many: numbers have at most {DIGITS} digits")

    @property
    def beam_at_end(self) -> int:
        """The option ``beam``."""
        return self.beam

    @cached_property
    def sentences(self) -> dict[Split, Sentences]:
        """All sentences as text."""
        return load_translations(self.corpus, self.digits, self.data_dir)

    def _sides(self, split: Split) -> tuple[list[str], list[str]]:
        source, target = self.direction.split("-")
        part = self.sentences[split]
        return getattr(part, source), getattr(part, target)

    @cached_property
    def corpus_data(self) -> Corpus:
        """All pairs of sentences as words, without long ones in the training split."""
        sources: dict[Split, list[Sequence[str]]] = {}
        targets: dict[Split, list[Sequence[str]]] = {}
        for split in self.sentences:
            pairs = [tuple(map(tokenise, pair)) for pair in zip(*self._sides(split), strict=True)]
            if split == "train":
                pairs = [pair for pair in pairs if max(map(len, pair)) <= self.length]
            sources[split], targets[split] = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        if not sources["train"]:
            raise ValueError(f"task.length={self.length} leaves no training sentence")
        return Corpus(sources, targets, self._symbols(sources["train"]), self._symbols(targets["train"]))

    def _symbols(self, texts: Sequence[Sequence[str]]) -> tuple[str, ...]:
        """The special symbols, then known words, the commonest first; equally common words in alphabetical order."""
        counts = Counter(word for text in texts for word in text)
        known = sorted((w for w in counts if counts[w] >= self.min_count), key=lambda w: (-counts[w], w))
        return (*SPECIAL, *known)

    def read(self, text: str) -> list[str]:
        """The words of a sentence; raises ``ValueError`` for an empty one, and with ``numbers`` for unknown words."""
        words = tokenise(text)
        if not words:
            raise ValueError("the sentence is empty: give at least one word")
        if self.corpus == "numbers":
            known = self.symbols.source[len(SPECIAL) :]
            for word in words:
                if word not in known:
                    raise ValueError(f"'{text.strip()}' holds {word!r}, but known are: {', '.join(sorted(known))}")
        return words

    def write(self, symbols: Sequence[str]) -> str:
        """The words with spaces between; German numbers as one word."""
        return ("" if self.corpus == "numbers" and self.direction == "en-de" else " ").join(symbols)

    def final_metrics(self, predictor: Predictor) -> dict[str, float]:
        """``bleu`` and ``exact`` of the whole test split, in percent."""
        outputs = self.translate(predictor, self.corpus_data.sources["test"], self.beam)
        return scores([best[0][0] for best in outputs], self.corpus_data.targets["test"])

    def other_baselines(self) -> dict[str, dict[str, float]]:
        """The scores of the untranslated source."""
        copied = scores(self.corpus_data.sources["test"], self.corpus_data.targets["test"])
        return {name: {"copy of the source": value} for name, value in copied.items()}
