"""Chords drawn from logits have the probabilities that are promised."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lstmlab.tasks.music.voicing import Voicing

LOGITS = np.array([-2.0, 0.0, 1.5, -0.5])
DRAWS = 20_000


def draw(voicing, logits=LOGITS):
    return np.asarray(voicing(jnp.tile(jnp.asarray(logits, jnp.float32), (DRAWS, 1)), jax.random.key(0)))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_keys_are_independent_with_the_probabilities_of_the_tempered_logits(temperature):
    chords = draw(Voicing(temperature))
    assert set(np.unique(chords)) == {0.0, 1.0}
    np.testing.assert_allclose(chords.mean(axis=0), 1 / (1 + np.exp(-LOGITS / temperature)), atol=0.015)
    np.testing.assert_allclose(np.corrcoef(chords.T), np.eye(4), atol=0.03)


@pytest.mark.parametrize("temperature", [0.7, 1.0])
def test_voices_are_drawn_without_putting_back_in_proportion_to_the_odds(temperature):
    chords = draw(Voicing(temperature, voices=2))
    assert (chords.sum(axis=1) == 2).all()
    odds = np.exp(LOGITS / temperature)
    for a, b in itertools.combinations(range(4), 2):
        share = sum(odds[i] / odds.sum() * odds[j] / (odds.sum() - odds[i]) for i, j in ((a, b), (b, a)))
        assert (chords[:, a] * chords[:, b]).mean() == pytest.approx(share, abs=0.015)


def test_temperature_zero_draws_nothing():
    assert (draw(Voicing(0)) == [0, 0, 1, 0]).all()
    assert (draw(Voicing(0, voices=2)) == [0, 1, 1, 0]).all()
