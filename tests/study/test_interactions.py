"""Interactions of keys on functions whose interactions are known."""

import numpy as np
import pytest

from lstmlab.study.interactions import interactions_of

pytest.importorskip("sklearn")


def simulated(seed, share, noise):
    """60 runs of four keys; interactions explain ``share`` of the variance of the function without noise."""
    rng = np.random.default_rng(seed)
    keys = rng.random((60, 4))
    alone = 3 * keys[:, 0] + keys[:, 1] + 2 * (keys[:, 2] > 0.7)
    together = (keys[:, 0] - 0.5) * (keys[:, 1] - 0.5)
    value = np.sqrt(1 - share) * alone / alone.std() + np.sqrt(share) * together / together.std()
    return keys, value + np.sqrt(noise) * rng.normal(size=60)


@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_a_sum_has_no_interactions(noise):
    assert interactions_of(*simulated(0, 0.0, noise)) == pytest.approx(0.0, abs=0.02)


def test_few_runs_do_not_tell():
    assert interactions_of(np.zeros((9, 1)), np.arange(9.0)) is None
