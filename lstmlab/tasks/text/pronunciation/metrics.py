"""Error rates of pronunciations."""

from __future__ import annotations

from collections.abc import Sequence


def error_rates(outputs: Sequence[Sequence[str]], references: Sequence[Sequence[Sequence[str]]]) -> dict[str, float]:
    """``per`` and ``wer`` in percent; each output has one or more references.

    The phoneme error rate is the sum of edit distances over the sum of reference lengths, the word error rate the share
    of outputs that differ from all their references. Of several references the closest counts, the first of equals.
    """
    errors = phonemes = wrong = 0
    for output, pronunciations in zip(outputs, references, strict=True):
        pairs = ((edit_distance(output, one), len(one)) for one in pronunciations)
        distance, length = min(pairs, key=lambda pair: pair[0])
        errors, phonemes, wrong = errors + distance, phonemes + length, wrong + (distance > 0)
    return {"per": 100 * errors / phonemes, "wer": 100 * wrong / len(outputs)}


def edit_distance(a: Sequence[str], b: Sequence[str]) -> int:
    """Fewest substitutions, insertions and deletions that turn one sequence into another (Levenshtein 1966)."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        corner, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            corner, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, corner + (x != y))
    return row[-1]
