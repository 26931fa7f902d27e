"""The n-gram of pairs of sequences that reads the source, by hand."""

from collections import Counter

import numpy as np
import pytest

from lstmlab.tasks.text.pair_baselines import PairTokens, source_ngram
from lstmlab.tasks.text.pair_data import END, PAD, START

SIZES = (7, 6)


def pairs(seed, count=40):
    """Targets that repeat the source, with mistakes."""
    rng = np.random.default_rng(seed)
    source, target = np.full((count, 5), PAD), np.full((count, 7), PAD)
    for row in range(count):
        length = rng.integers(1, 6)
        source[row, :length] = rng.integers(4, 7, length)
        written = np.where(rng.random(length) < 0.8, source[row, :length] - 1, rng.integers(3, 6, length))
        target[row, : length + 2] = [START, *written, END]
    return PairTokens(source, target)


def examples(part):
    """The four tokens that are read and the one that follows."""
    for source, target in zip(part.source.tolist(), part.target.tolist(), strict=True):
        padded = [PAD, *source, PAD, PAD, PAD]
        for place in range(target.index(END)):
            here, following, previous = padded[place + 1], padded[place + 2], padded[place]
            yield (target[place], here, following, previous), target[place + 1]


def by_hand(train, context, token):
    """Witten & Bell's recursion on dictionaries; tokens are those from END on."""
    length = len(context)
    lower = by_hand(train, context[:-1], token) if length else 1 / (SIZES[1] - END)
    after = Counter(after for read, after in examples(train) if read[:length] == context)
    if not after:
        return lower
    return (after[token] + len(after) * lower) / (sum(after.values()) + len(after))


@pytest.mark.parametrize("few", [40, 3])
def test_the_cost_is_that_of_the_recursion_with_the_best_number_of_tokens(few):
    train, validation, test = pairs(0, few), pairs(1), pairs(2)
    costs = [
        tuple(np.mean([-np.log(by_hand(train, read[:n], token)) for read, token in examples(part)])
              for part in (validation, test))
        for n in range(5)
    ]  # fmt: skip
    expected = min(costs)[1]
    assert source_ngram(train, validation, test, SIZES) == {"n-gram with the source": pytest.approx(expected)}
    assert sum(by_hand(train, (START, 4), token) for token in range(END, SIZES[1])) == pytest.approx(1)
