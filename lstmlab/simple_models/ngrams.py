"""n-gram models of sequences of tokens, counted and interpolated with NumPy.

All models here have one form. The probability of a token w after the k tokens c is::

    p_k(w | c) = (mass(c w) + reserve(c) p_{k−1}(w | c'))/total(c)

where c' is c without its first token; the model below the lowest is uniform. After a context c that was never seen,
p_k is p_{k−1}.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

PIECE = 1_000_000  # tokens that are sorted at once: a text may have 10⁸ of them
LEAST_DISCOUNTS = (0.5, 1.0, 1.5)
"""discounts where a text is too small to estimate them, those of KenLM (Heafield 2011)"""

Ids = Int[np.ndarray, " grams"]
Tokens = Int[np.ndarray, " tokens"]


class Grams(NamedTuple):
    """The different n-grams of a text, of one length. The number of an n-gram is its place here."""

    keys: Ids
    """number of the context among the shorter n-grams · number of tokens + last token; rising"""
    counts: Ids
    shorter: Ids
    """number of the n-gram without its first token; not used for single tokens"""


class Level(NamedTuple):
    """One length of n-grams in an interpolated model."""

    keys: Ids
    mass: Float[np.ndarray, " grams"]
    total: Float[np.ndarray, " contexts"]
    reserve: Float[np.ndarray, " contexts"]


def count_grams(tokens: Tokens, size: int, order: int) -> list[Grams]:
    """The n-grams of a text with up to ``order`` tokens, by their length; tokens lie in 0 … ``size`` − 1."""
    found: list[Grams] = []
    contexts = ids = np.zeros(len(tokens), np.int32)
    for length in range(1, min(order, len(tokens)) + 1):
        keys, counts, first, now = _distinct(contexts, tokens[length - 1 :], size)
        found.append(Grams(keys, counts, ids[first + 1] if length > 1 else np.zeros(len(keys), np.int32)))
        contexts, ids = now[:-1], now
    return found


def _distinct(contexts: np.ndarray, tokens: np.ndarray, size: int) -> tuple[Ids, Ids, Ids, np.ndarray]:
    """Different pairs of context and token as rising keys; their counts and first places; the pair at each place."""
    pieces, offset = [], 0
    for start in range(0, len(tokens), PIECE):
        part = slice(start, start + PIECE)
        keys = contexts[part].astype(np.int64) * size + tokens[part]
        pieces.append(np.unique(keys, return_index=True, return_inverse=True, return_counts=True))
    firsts = np.concatenate([piece[1] + n * PIECE for n, piece in enumerate(pieces)])
    counts = np.concatenate([piece[3] for piece in pieces])
    keys, first, places = np.unique(
        np.concatenate([piece[0] for piece in pieces]), return_index=True, return_inverse=True
    )
    ids = np.empty(len(tokens), np.int32)
    for n, piece in enumerate(pieces):
        own = places[offset : offset + len(piece[0])]
        ids[n * PIECE : (n + 1) * PIECE] = own[piece[2]]
        offset += len(own)
    return keys, np.bincount(places, weights=counts).astype(np.int64), firsts[first], ids


def witten_bell(grams: Sequence[Grams], size: int) -> list[Level]:
    """Interpolation by Witten & Bell 1991: mass = N(c w), reserve = T(c), the number of different tokens after c, and
    total = N(c ·) + T(c). The first n levels are the model of order n."""
    levels, contexts = [], 1
    for gram in grams:
        of = gram.keys // size
        kinds = np.bincount(of, minlength=contexts).astype(np.float64)
        total = np.bincount(of, weights=gram.counts, minlength=contexts)
        levels.append(Level(gram.keys, gram.counts.astype(np.float64), total + kinds, kinds))
        contexts = len(gram.keys)
    return levels


def kneser_ney(grams: Sequence[Grams], size: int) -> list[Level]:
    """The model of the order ``len(grams)`` with modified Kneser–Ney smoothing, interpolated (Chen & Goodman 1998).

    The highest level discounts the counts N(c w) by D₁, D₂ or D₃ for a count of 1, 2, or more; lower levels discount
    the numbers of different tokens that precede an n-gram. What is taken away is the reserve.
    """
    levels, contexts = [], 1
    for place, gram in enumerate(grams):
        counts = gram.counts
        if place + 1 < len(grams):
            counts = np.bincount(grams[place + 1].shorter, minlength=len(gram.keys))
        taken = np.array([0.0, *_discounts(counts)])[np.minimum(counts, 3)]
        of = gram.keys // size
        total = np.bincount(of, weights=counts, minlength=contexts)
        levels.append(Level(gram.keys, counts - taken, total, np.bincount(of, weights=taken, minlength=contexts)))
        contexts = len(gram.keys)
    return levels


def _discounts(counts: Ids) -> tuple[float, float, float]:
    """D₁, D₂, D₃ from how many n-grams occur once to four times."""
    n1, n2, n3, n4 = (int((counts == n).sum()) for n in (1, 2, 3, 4))
    if not n1 * n2 * n3 * n4:
        return LEAST_DISCOUNTS
    y = n1 / (n1 + 2 * n2)
    found = (1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3)
    return found if all(0 <= d <= n for n, d in enumerate(found, 1)) else LEAST_DISCOUNTS


def probabilities(
    levels: Sequence[Level], tokens: Tokens, size: int, lowest: Float[np.ndarray, " tokens"] | None = None
) -> Iterator[Float[np.ndarray, " tokens"]]:
    """After each level, the probability of every token given those before it in ``tokens``.

    At the beginning, where fewer tokens precede than a level reads, it is that of the level below. ``lowest`` takes the
    place of the uniform distribution below the lowest level: the probability of each of these tokens by another model.
    """
    p = np.full(len(tokens), 1 / size) if lowest is None else lowest
    contexts = np.zeros(len(tokens), np.int64)
    for length, level in enumerate(levels):
        wanted = contexts * size + tokens[length:]  # below 0 after an unknown context, so that it is not found
        place = np.minimum(np.searchsorted(level.keys, wanted), len(level.keys) - 1)
        seen = level.keys[place] == wanted
        known = np.maximum(contexts, 0)
        total = np.where(contexts >= 0, level.total[known], 0.0)
        mixed = np.where(seen, level.mass[place], 0.0) + level.reserve[known] * p[length:]
        p = np.concatenate([p[:length], np.where(total > 0, mixed / np.maximum(total, 1e-300), p[length:])])
        contexts = np.where(seen, place, -1)[:-1]
        yield p


def nats(p: Float[np.ndarray, " tokens"]) -> float:
    """Mean negative log-probability per token; the first token is not predicted."""
    return float(-np.log(p[1:]).mean())


def best_witten_bell(train: Tokens, validation: Tokens, test: Tokens, size: int, order: int) -> tuple[int, float]:
    """The order from 1 to ``order`` with the least cost on validation, and its nats per token of the test split."""
    levels = witten_bell(count_grams(train, size, order), size)
    costs = [-np.log(p[1:]).sum() for p in probabilities(levels, validation, size)]
    best = int(np.argmin(costs))
    *_, p = probabilities(levels[: best + 1], test, size)
    return best + 1, nats(p)


def best_kneser_ney(
    train: Tokens, validation: Tokens, test: Tokens, size: int, orders: Sequence[int]
) -> tuple[int, float]:
    """The one of ``orders`` with the least cost on validation, and its nats per token of the test split."""
    grams = count_grams(train, size, max(orders))
    models = {order: kneser_ney(grams[:order], size) for order in orders}
    costs = {order: -np.log(_last(model, validation, size)[1:]).sum() for order, model in models.items()}
    best = min(costs, key=costs.__getitem__)
    return best, nats(_last(models[best], test, size))


def _last(levels: Sequence[Level], tokens: Tokens, size: int) -> np.ndarray:
    *_, p = probabilities(levels, tokens, size)
    return p
