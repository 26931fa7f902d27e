"""Baselines: piano keys and voices by themselves, keys given the chord before, n-grams of chords and of notes."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from lstmlab.simple_models.logistic import cross_entropy, fit_logistic
from lstmlab.simple_models.ngrams import count_grams, probabilities, witten_bell
from lstmlab.tasks.music.chorales.dataset import Rolls
from lstmlab.tasks.music.note_tokens import note_tokens

PENALTIES = (1e-2, 1e-3, 1e-4)
ORDER, NOTE_ORDER = 4, 12
"""most chords and most notes of an n-gram"""


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


def note_ngrams(train: Rolls, validation: Rolls, test: Rolls) -> dict[str, float]:
    """Nats per test chord of n-grams of notes by Witten & Bell, of the order, 1 to 12, that is best on validation.

    Chords are spelt from the lowest key on (:mod:`~lstmlab.tasks.music.note_tokens`), so that an n-gram of some notes
    reaches the same voice of the chord before. Every piece begins with a mark of its own.
    """
    keys = train.notes.shape[2]
    size = keys + 2  # the end of a chord and the mark
    levels = witten_bell(count_grams(_note_stream(train)[0], size, NOTE_ORDER), size)

    def costs(part: Rolls) -> list[float]:
        tokens, counted = _note_stream(part)
        ends = (tokens[counted] == keys).sum()
        return [float(-np.log(p[counted]).sum() / ends) for p in probabilities(levels, tokens, size)]

    best = int(np.argmin(costs(validation)))
    return {f"{best + 1}-gram of notes": costs(test)[best]}


def _note_stream(rolls: Rolls) -> tuple[Int[np.ndarray, " tokens"], Bool[np.ndarray, " tokens"]]:
    """All pieces as tokens, each after a mark; and which count: those after the first chord of a piece."""
    spelt, mark = note_tokens(*rolls), rolls.notes.shape[2] + 1
    pieces = [np.append(mark, tokens[:length]) for tokens, length in zip(*spelt, strict=True)]
    ended = [np.cumsum(piece == mark - 1) for piece in pieces]
    return np.concatenate(pieces), np.concatenate([np.append(0, count[:-1]) > 0 for count in ended])


def voice_chains(train: Rolls, test: Rolls) -> dict[str, float]:
    """Nats per test chord of a Markov chain for the number of keys, and one for each voice, counted from the highest
    key: its key given its key in the chord before, by Witten & Bell.

    The voices are independent of each other; what they give to keys out of order is lost. A voice that the chord before
    lacks goes on from a mark of its own.
    """
    keys = train.notes.shape[2]
    (before, after), (test_before, test_after) = (_voices(train), _voices(test))
    nats = np.zeros(len(test_after))
    for voice in range(after.shape[1]):
        sounds, tested = after[:, voice] < keys, test_after[:, voice] < keys
        p = _chain(before[sounds, voice], after[sounds, voice], keys + 1, keys)
        nats[tested] -= np.log(p[test_before[tested, voice], test_after[tested, voice]])
    numbers = [(voices < keys).sum(axis=1) for voices in (before, after, test_before, test_after)]
    nats -= np.log(_chain(numbers[0], numbers[1], keys + 1, keys + 1)[numbers[2], numbers[3]])
    return {"Markov chain per voice": float(nats.mean())}


def _chain(
    before: Int[np.ndarray, " pairs"], after: Int[np.ndarray, " pairs"], states: int, size: int
) -> Float[np.ndarray, "states size"]:
    """p(after | before) by Witten & Bell, interpolated with p(after), and that with the uniform distribution."""
    counts = np.zeros((states, size))
    np.add.at(counts, (before, after), 1)
    alone = counts.sum(axis=0)
    kinds = max(int((alone > 0).sum()), 1)
    lower = (alone + kinds / size) / (alone.sum() + kinds)
    different = (counts > 0).sum(axis=1, keepdims=True)
    total = counts.sum(axis=1, keepdims=True) + different
    return np.where(total > 0, (counts + different * lower) / np.maximum(total, 1), lower)


def _voices(rolls: Rolls) -> tuple[Int[np.ndarray, "steps keys"], Int[np.ndarray, "steps keys"]]:
    """The keys of all pairs of chords from the highest to the lowest, then the number of keys for voices that rest."""
    before, after = _pairs(rolls)
    keys = before.shape[1]
    return tuple(-np.sort(-np.where(part > 0, np.arange(keys), -1), axis=1) % (keys + 1) for part in (before, after))


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
