"""n-grams against counting by hand, and as distributions."""

from collections import Counter

import numpy as np
import pytest

from lstmlab.simple_models import ngrams
from lstmlab.simple_models.ngrams import best_kneser_ney, best_witten_bell, count_grams, kneser_ney, witten_bell

SIZE = 6


def text(length, seed=0):
    """Tokens that depend on the two before, so that higher orders matter."""
    rng = np.random.default_rng(seed)
    tokens = [0, 1]
    while len(tokens) < length:
        tokens.append((tokens[-1] + 2 * tokens[-2] + int(rng.choice([0, 1, 3], p=[0.7, 0.2, 0.1]))) % SIZE)
    return np.array(tokens)


def counts(tokens, length):
    return Counter(tuple(tokens[i : i + length].tolist()) for i in range(len(tokens) - length + 1))


def witten_bell_by_hand(train, context, token):
    """The recursion of the paper on dictionaries."""
    lower = 1 / SIZE if not context else witten_bell_by_hand(train, context[1:], token)
    after = {gram[-1]: n for gram, n in counts(train, len(context) + 1).items() if gram[:-1] == context}
    if not after:
        return lower
    return (after.get(token, 0) + len(after) * lower) / (sum(after.values()) + len(after))


def kneser_ney_by_hand(train, context, token, highest=True):
    """Chen & Goodman's equations on dictionaries; contexts of up to two tokens."""
    length = len(context) + 1
    lower = kneser_ney_by_hand(train, context[1:], token, False) if context else 1 / SIZE
    table = counts(train, length) if highest else Counter(gram[1:] for gram in counts(train, length + 1))
    n = [sum(c == k for c in table.values()) for k in range(5)]  # n-grams that occur k times
    y = n[1] / max(n[1] + 2 * n[2], 1)
    discounts = (0, *(k - (k + 1) * y * n[k + 1] / max(n[k], 1) for k in (1, 2, 3)))
    if 0 in n[1:] or any(not 0 <= discounts[k] <= k for k in (1, 2, 3)):
        discounts = (0, 0.5, 1.0, 1.5)
    after = {gram[-1]: c for gram, c in table.items() if gram[:-1] == context}
    if not after:
        return lower
    taken = {w: discounts[min(c, 3)] for w, c in after.items()}
    mass = after.get(token, 0) - taken.get(token, 0) + sum(taken.values()) * lower
    return mass / sum(after.values())


@pytest.mark.parametrize("piece", [7, 1000])
def test_counts_are_those_of_a_dictionary(piece, monkeypatch):
    monkeypatch.setattr(ngrams, "PIECE", piece)
    tokens = text(103)
    for length, gram in enumerate(count_grams(tokens, SIZE, 4), 1):
        assert sorted(gram.counts.tolist()) == sorted(counts(tokens, length).values())
    shorter = Counter(gram[1:] for gram in counts(tokens, 4))
    assert sorted(shorter.values()) == sorted(np.unique(gram.shorter, return_counts=True)[1].tolist())


@pytest.mark.parametrize(("model", "by_hand"), [(witten_bell, witten_bell_by_hand), (kneser_ney, kneser_ney_by_hand)])
def test_probabilities_are_those_of_the_papers(model, by_hand):
    train, test = text(150), np.random.default_rng(1).integers(0, SIZE, 40)
    levels = model(count_grams(train, SIZE, 3), SIZE)
    *_, p = ngrams.probabilities(levels, test, SIZE)
    expected = [by_hand(train, tuple(test[i - 2 : i].tolist()), int(test[i])) for i in range(2, len(test))]
    np.testing.assert_allclose(p[2:], expected, rtol=1e-12)


@pytest.mark.parametrize("model", [witten_bell, kneser_ney])
@pytest.mark.parametrize("context", [(0, 1, 2), (5, 5, 5), (0, 1)])
def test_every_context_has_a_distribution(model, context):
    levels = model(count_grams(text(300), SIZE, 4), SIZE)
    total = 0.0
    for token in range(SIZE):
        *_, p = ngrams.probabilities(levels, np.array([*context, token]), SIZE)
        total += p[-1]
    assert total == pytest.approx(1)


@pytest.mark.parametrize(
    "best", [lambda *a: best_witten_bell(*a, SIZE, 5), lambda *a: best_kneser_ney(*a, SIZE, (2, 3))]
)
def test_the_order_is_chosen_on_validation_and_the_text_predicts_itself_well(best):
    order, cost = best(text(3000), text(500, 1), text(500, 2))
    entropy = -np.dot([0.7, 0.2, 0.1], np.log([0.7, 0.2, 0.1]))
    assert order == 3
    assert cost == pytest.approx(entropy, abs=0.06)


def test_texts_shorter_than_the_order_can_be_counted():
    one = np.array([2])
    assert best_witten_bell(one, one, np.array([2, 2]), SIZE, 4)[1] == pytest.approx(-np.log((1 + 1 / SIZE) / 2))
