"""Viterbi's algorithm against all paths, and counts by hand."""

import itertools

import numpy as np
import pytest

from lstmlab.simple_models.hmm import Sequences, fit_hmm, viterbi

TRAIN = Sequences(np.array([[0, 1, 2], [0, 0, 9]]), np.array([[0, 1, 1], [0, 2, 9]]), np.array([3, 2]))


def test_counts_by_hand():
    model = fit_hmm(TRAIN, 3, 3, 0.5)
    np.testing.assert_allclose(np.exp(model.first), np.array([2.5, 0.5, 0.5]) / 3.5)
    np.testing.assert_allclose(np.exp(model.next[0]), np.array([0.5, 1.5, 1.5]) / 3.5)
    np.testing.assert_allclose(np.exp(model.next[2]), [1 / 3] * 3)
    np.testing.assert_allclose(np.exp(model.emitted[1]), np.array([0.5, 1.5, 1.5]) / 3.5)


@pytest.mark.parametrize("length", [1, 3, 5])
def test_the_path_is_the_best_of_all(length):
    rng = np.random.default_rng(length)
    train = Sequences(rng.integers(0, 4, (20, 6)), rng.integers(0, 3, (20, 6)), rng.integers(1, 7, 20))
    model, tokens = fit_hmm(train, 3, 4, 0.1), rng.integers(0, 4, (7, 5))

    def score(row, path):
        steps = sum(model.next[a, b] for a, b in itertools.pairwise(path))
        return model.first[path[0]] + steps + sum(model.emitted[t, w] for t, w in zip(path, row, strict=False))

    found = viterbi(model, tokens, np.full(7, length))
    for row, tags in zip(tokens, found, strict=True):
        best = max(itertools.product(range(3), repeat=length), key=lambda path: score(row, path))
        assert tuple(tags[:length]) == best
