"""Baselines: piano keys by themselves, keys given the chord before, and n-grams of chords."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int, UInt8

from lstmlab.simple_models.logistic import cross_entropy, fit_logistic
from lstmlab.simple_models.ngrams import count_grams, probabilities, witten_bell
from lstmlab.tasks.music.chorales.dataset import Rolls

PENALTIES = (1e-2, 1e-3, 1e-4)
ORDER = 4


def key_frequencies(train: Rolls, test: Rolls) -> dict[str, float]:
    """Nats per test step, best first, of independent keys with add-one-smoothed training frequencies.

    ``hold`` knows whether the key sounded one step before, ``frequency`` does not.
    """
    nats = {name: float(_key_costs(train, test, name == "hold").mean()) for name in ("hold", "frequency")}
    return dict(sorted(nats.items(), key=lambda item: item[1]))


def _key_costs(train: Rolls, test: Rolls, conditional: bool) -> Float[np.ndarray, " steps"]:
    """Nats of every test step that has one before it."""
    (before, after), (test_before, test_after) = _pairs(train), _pairs(test)
    nll = np.zeros(len(test_before))
    for state in (0, 1):
        counted = (before == state) | (not conditional)
        share = ((after * counted).sum(0) + 1) / (counted.sum(0) + 2)
        cost = -np.where(test_after > 0, np.log(share), np.log(1 - share))
        nll += (cost * (test_before == state)).sum(axis=1)
    return nll


def logistic_keys(train: Rolls, validation: Rolls, test: Rolls) -> dict[str, float]:
    """Nats per test step of one logistic regression per key on the chord before; the penalty is the best on
    validation."""
    x, y = (part.astype(np.float64) for part in _pairs(train))
    weights, best = None, (np.inf, np.inf)
    for penalty in PENALTIES:  # each starts from the one before
        weights = fit_logistic(x, y, penalty, weights)
        best = min(best, (cross_entropy(weights, *_pairs(validation)), cross_entropy(weights, *_pairs(test))))
    return {"logistic regression": best[1]}


def chord_ngrams(train: Rolls, validation: Rolls, test: Rolls) -> dict[str, float]:
    """Nats per test step of n-grams of whole chords by Witten & Bell, of the order, 1 to 4, that is best on validation.

    Below single chords lies the distribution of ``hold``, which also knows chords that training lacks. Every piece
    begins with a mark of its own.
    """
    numbers = {chord: number for number, chord in enumerate(dict.fromkeys(_chords(train)), 1)}
    size = len(numbers) + 2  # the mark, which is 0, and chords that training lacks
    levels = witten_bell(count_grams(_tokens(train, numbers), size, ORDER), size)
    held_out, tested = (_ngram_costs(levels, size, numbers, train, part) for part in (validation, test))
    best = int(np.argmin(held_out))
    return {f"{best + 1}-gram of chords": tested[best]}


def _ngram_costs(levels: list, size: int, numbers: dict[bytes, int], train: Rolls, part: Rolls) -> list[float]:
    """Nats per step after each level."""
    tokens = _tokens(part, numbers)
    predicted = (tokens > 0) & (np.roll(tokens, 1) > 0)
    lowest = np.ones(len(tokens))
    lowest[predicted] = np.exp(-_key_costs(train, part, True))
    return [float(-np.log(p[predicted]).mean()) for p in probabilities(levels, tokens, size, lowest)]


def _chords(rolls: Rolls) -> list[bytes]:
    """All chords of all pieces, and an empty one before each piece."""
    pieces = zip(rolls.notes, rolls.lengths, strict=True)
    return [chord for notes, length in pieces for chord in (b"", *(step.tobytes() for step in notes[:length]))]


def _tokens(rolls: Rolls, numbers: dict[bytes, int]) -> Int[np.ndarray, " tokens"]:
    return np.array([numbers.get(chord, len(numbers) + 1) if chord else 0 for chord in _chords(rolls)])


def _pairs(rolls: Rolls) -> tuple[UInt8[np.ndarray, "steps 88"], UInt8[np.ndarray, "steps 88"]]:
    """All steps of all pieces but their last, and the steps that follow them."""
    pieces = [notes[:length] for notes, length in zip(rolls.notes, rolls.lengths, strict=True)]
    return np.concatenate([p[:-1] for p in pieces]), np.concatenate([p[1:] for p in pieces])
