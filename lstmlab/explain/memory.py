r"""What a state still knows of inputs k steps back, and what depends on it.

A linear probe (Alain & Bengio 2016, arXiv:1610.01644) predicts the input :math:`x_{t-k}` from the state :math:`s_t` by
ridge regression; it is fitted on some sequences and judged on others. Tokens are predicted by ridge regression on their
one-hot vectors. A probe needs scikit-learn (``pip install 'lstmlab[baselines]'``).
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Shaped

from lstmlab.explain.trajectory import Trajectory
from lstmlab.promotion import standard_promotion

PENALTIES = (1e-4, 1e-2, 1.0, 100.0)
"""of the ridge regression, chosen by leave-one-out cross-validation on the sequences of the fit"""
MOST_ROWS = 1500
"""pairs of state and input for the fit, and as many for the judgement"""
SEED = 0


class Probe(NamedTuple):
    """How well inputs can be read from states, against the lag."""

    lags: np.ndarray
    """``[lags]``: k, in steps"""
    score: np.ndarray
    """``[lags]``, or ``[lags, features]``: accuracy for tokens, R² for features"""
    chance: np.ndarray
    """of the same shape: the score of the best constant prediction"""


def linear_probe(
    states: Float[np.ndarray, "time batch size"],
    inputs: Shaped[np.ndarray, "time batch *features"],
    lags: Sequence[int],
    valid: Bool[np.ndarray, "time batch"] | None = None,
) -> Probe:
    """Read the inputs k steps back from states. The first half of the sequences is for the fit.

    Args:
        states: after each step.
        inputs: integer tokens ``[time, batch]``, or features ``[time, batch, features]``.
        lags: values of k; 0 is the input of the step itself.
        valid: steps that count; all if not given.

    Raises:
        ValueError: without scikit-learn, for fewer than two sequences, and for a lag without any pair of steps.
    """
    if importlib.util.find_spec("sklearn") is None:
        raise ValueError("a probe needs scikit-learn: pip install 'lstmlab[baselines]'")
    if states.shape[1] < 2:
        raise ValueError("a probe needs at least two sequences: one for the fit, one to judge it")
    counted = np.ones(states.shape[:2], bool) if valid is None else valid
    scores, chances = [], []
    for lag in lags:
        pairs = [_pairs(states, inputs, counted, lag, half) for half in _halves(states.shape[1])]
        score, chance = _score(*pairs[0], *pairs[1])
        scores.append(score)
        chances.append(chance)
    return Probe(np.asarray(lags), np.array(scores), np.array(chances))


def _halves(sequences: int) -> tuple[slice, slice]:
    return slice(0, sequences // 2), slice(sequences // 2, None)


def _pairs(states: np.ndarray, inputs: np.ndarray, counted: np.ndarray, lag: int, half: slice) -> Any:
    """States and the inputs ``lag`` steps before them: at most ``MOST_ROWS`` pairs of one half of the sequences."""
    both = (counted[lag:] & counted[: len(counted) - lag])[:, half]
    if not both.any():
        raise ValueError(f"no sequence has {lag + 1} steps, which a probe at a lag of {lag} needs")
    xs, ys = states[lag:, half][both], inputs[: len(inputs) - lag, half][both]
    if len(xs) > MOST_ROWS:
        chosen = np.random.default_rng(SEED).choice(len(xs), MOST_ROWS, replace=False)
        xs, ys = xs[chosen], ys[chosen]
    return xs, ys


def _score(xs: np.ndarray, ys: np.ndarray, test_xs: np.ndarray, test_ys: np.ndarray) -> tuple[Any, Any]:
    from sklearn.linear_model import RidgeClassifierCV, RidgeCV  # takes a second to import

    mean, spread = xs.mean(axis=0), xs.std(axis=0) + 1e-12
    xs, test_xs = (xs - mean) / spread, (test_xs - mean) / spread
    if ys.dtype.kind in "iu":
        tokens, counts = np.unique(ys, return_counts=True)
        chance = np.mean(test_ys == tokens[counts.argmax()])
        if len(tokens) == 1:
            return chance, chance
        return np.mean(RidgeClassifierCV(PENALTIES).fit(xs, ys).predict(test_xs) == test_ys), chance
    ys, test_ys = ys.reshape(len(ys), -1), test_ys.reshape(len(test_ys), -1)
    predicted = RidgeCV(PENALTIES).fit(xs, ys).predict(test_xs).reshape(test_ys.shape)
    error, variance = np.mean((predicted - test_ys) ** 2, axis=0), np.var(test_ys, axis=0)
    # A constant input is known: there is nothing to read.
    score = np.where(variance > 1e-12, 1 - error / np.maximum(variance, 1e-12), np.nan)
    return score, np.where(variance > 1e-12, 0.0, np.nan)


def reset_effect(cell: Any, path: Trajectory, lags: Sequence[int]) -> Float[np.ndarray, "lags batch"]:
    r"""By how much the last output changes when the state is set to zero k steps before the end.

    .. math:: \|h_T - h_T^{(k)}\| \,/\, \|h_T\|

    Args:
        cell: the cell that went along ``path``.
        path: ``[time, batch, ...]``.
        lags: values of k, from 1 to the number of steps: the state before the last k steps is zero.

    Raises:
        ValueError: for a lag that is not.
    """
    steps = len(path.after.h)
    if not all(1 <= lag <= steps for lag in lags):
        raise ValueError(f"lags must be from 1 to the {steps} steps of the trajectory, but are {list(lags)}")
    return np.stack([np.asarray(_change_after_reset(cell, path, jnp.asarray(lag))) for lag in lags])


@jax.jit
@standard_promotion
def _change_after_reset(cell: Any, path: Trajectory, lag: Array) -> Float[Array, " batch"]:
    steps, rows = path.after.h.shape[:2]
    prepared, fresh = cell.prepared(), cell.initial_state(rows)

    def body(state: Any, step: tuple[Array, Any]) -> tuple[Any, None]:
        number, z = step
        before = jax.tree.map(lambda zero, old: jnp.where(number == steps - lag, zero, old), fresh, state)
        return prepared.step(before, z)[0], None

    first = jax.tree.map(lambda a: a[0], path.before)
    final, _ = jax.lax.scan(body, first, (jnp.arange(steps), path.z))
    whole = path.after.h[-1].reshape(rows, -1)
    return jnp.linalg.norm(final.h.reshape(rows, -1) - whole, axis=1) / jnp.linalg.norm(whole, axis=1)
