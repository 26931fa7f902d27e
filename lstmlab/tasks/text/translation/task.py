"""Translation: sentences of one language to sentences of another."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from functools import cached_property

from lstmlab.settings import setting
from lstmlab.tasks.registry import register_task
from lstmlab.tasks.task import Predictor
from lstmlab.tasks.text.pairs import SPECIAL, Corpus, PairTask
from lstmlab.tasks.text.translation.dataset import CORPORA, Sentences, load_translations, tokenise
from lstmlab.tasks.text.translation.number_words import MOST


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
    """Words in, words out, with an encoder-decoder.

    ``numbers`` is a stand-in that works offline and is no language: number words of up to ``digits`` digits, English to
    the parts of the German word. It is not done word for word all the same, as ones come before tens, and whether 1 is
    *ein* or *eins* depends on what follows. No number of validation and test is trained. Multi30k has
    the published splits.

    Sentences are read in small letters, words and signs apart (:func:`lstmlab.tasks.text.translation.dataset.tokenise`); words seen
    ``min_count`` times or more in training are known, all others share one token. Training pairs with more than
    ``length`` words on either side are left out, validation and test are whole.

    At the end the test sentences are decoded, and the summary's ``test`` gains, in percent, ``bleu``, that of sacreBLEU
    (Post 2018, arXiv:1804.08771) over these words and signs, ``nrefs:1|case:mixed|eff:no|tok:none|smooth:exp``, and
    ``exact``, the share of sentences that equal their reference. The unknown word is a word, and always a wrong one.
    """

    corpus: str = setting("numbers", "the sentences; multi30k is downloaded", choices=CORPORA)
    direction: str = setting("en-de", "from which language to which", choices=("en-de", "de-en"))
    digits: int = setting(len(str(MOST)), "of numbers, most digits, up to 6", minimum=3)
    min_count: int = setting(2, "occurrences in training from which a word is known", minimum=1)
    length: int = setting(40, "most words of a training sentence, on either side", minimum=1)
    beam: int = setting(1, "hypotheses kept when the test is decoded at the end; 1: greedy", minimum=1)

    defaults = (
        "model.hidden_size=128", "model.bidirectional=true", "model.attention=general", "model.embedding_size=64",
        "dropout.layer=0.1", "training.steps=600", "training.batch_size=128", "training.eval_batch_size=500",
        "training.log_every=50", "training.eval_every=150",
    )  # fmt: skip

    def __post_init__(self) -> None:
        """Refuse numbers that have no words here; raises ``ValueError``."""
        if self.digits > len(str(MOST)):
            raise ValueError(f"task.digits={self.digits} is too many: numbers have at most {len(str(MOST))} digits")

    @property
    def beam_at_end(self) -> int:
        """As configured."""
        return self.beam

    @cached_property
    def sentences(self) -> dict[str, Sentences]:
        """All sentences as they are written."""
        return load_translations(self.corpus, self.digits, self.data_dir)

    def _sides(self, split: str) -> tuple[list[str], list[str]]:
        source, target = self.direction.split("-")
        part = self.sentences[split]
        return getattr(part, source), getattr(part, target)

    @cached_property
    def corpus_data(self) -> Corpus:
        """All pairs of words but the long ones of the training split."""
        sources: dict = {}
        targets: dict = {}
        for split in self.sentences:
            read = [tuple(map(tokenise, pair)) for pair in zip(*self._sides(split), strict=True)]
            kept = [pair for pair in read if split != "train" or max(map(len, pair)) <= self.length]
            sources[split], targets[split] = [pair[0] for pair in kept], [pair[1] for pair in kept]
        if not sources["train"]:
            raise ValueError(f"task.length={self.length} leaves no training sentence")
        return Corpus(sources, targets, self._symbols(sources["train"]), self._symbols(targets["train"]))

    def _symbols(self, texts: Sequence[Sequence[str]]) -> tuple[str, ...]:
        """Known words behind the special ones, the commonest first, equally common ones in alphabetical order."""
        counts = Counter(word for text in texts for word in text)
        known = sorted((w for w in counts if counts[w] >= self.min_count), key=lambda w: (-counts[w], w))
        return (*SPECIAL, *known)

    def read(self, text: str) -> list[str]:
        """The words of a sentence. Unknown ones are read as the unknown word; among numbers they are refused."""
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
        """The words; German numbers as the one word that they are."""
        return ("" if self.corpus == "numbers" and self.direction == "en-de" else " ").join(symbols)

    def final_metrics(self, predictor: Predictor) -> dict[str, float]:
        """``bleu`` and ``exact`` of the whole test split, in percent."""
        written = self.translate(predictor, self.corpus_data.sources["test"], self.beam)
        return scores([best[0][0] for best in written], self.corpus_data.targets["test"])

    def other_baselines(self) -> dict[str, dict[str, float]]:
        """What the source itself scores, as if it were the translation."""
        copied = scores(self.corpus_data.sources["test"], self.corpus_data.targets["test"])
        return {name: {"copy of the source": value} for name, value in copied.items()}


def scores(outputs: Sequence[Sequence[str]], references: Sequence[Sequence[str]]) -> dict[str, float]:
    """``bleu`` and ``exact`` of words, in percent; there is one reference for each output."""
    from sacrebleu import corpus_bleu

    equal = sum(list(a) == list(b) for a, b in zip(outputs, references, strict=True))
    said, right = ([" ".join(words) for words in texts] for texts in (outputs, references))
    # Both sides are words already: another tokeniser would take some apart, <unk> among them, on one side alone.
    bleu = corpus_bleu(said, [right], tokenize="none", force=True).score
    return {"bleu": bleu, "exact": 100 * equal / len(references)}
