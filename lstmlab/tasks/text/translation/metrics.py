"""Scores of translations."""

from __future__ import annotations

from collections.abc import Sequence


def scores(outputs: Sequence[Sequence[str]], references: Sequence[Sequence[str]]) -> dict[str, float]:
    """``bleu`` and ``exact`` (the share of outputs that equal their reference), in percent; one reference each."""
    from sacrebleu import corpus_bleu

    equal = sum(list(a) == list(b) for a, b in zip(outputs, references, strict=True))
    joined, targets = ([" ".join(words) for words in texts] for texts in (outputs, references))
    # Both are tokenised already: another tokeniser would split some words, such as <unk>, in the outputs only.
    bleu = corpus_bleu(joined, [targets], tokenize="none", force=True).score
    return {"bleu": bleu, "exact": 100 * equal / len(references)}
