"""Interquartile means, bootstrap intervals and probabilities of improvement, against counts by hand."""

import itertools

import numpy as np
import pytest
from scipy.stats import norm

from lstmlab.study.statistics import improvement, iqm, iqm_bands, iqm_interval, stratified_iqm


def test_the_interquartile_mean_leaves_out_the_lowest_and_the_highest_quarter():
    assert iqm([8.0, 1.0, 100.0, 2.0, 3.0, -50.0, 4.0, 5.0]) == np.mean([2.0, 3.0, 4.0, 5.0])
    assert iqm([1.0, 2.0, 9.0]) == 4.0


def test_an_interval_is_the_same_every_time_and_holds_the_value():
    values = np.random.default_rng(1).normal(size=12)
    first = iqm_interval(values)
    assert first == iqm_interval(values)
    assert values.min() < first.low < first.value == iqm(values) < first.high < values.max()


def test_one_seed_has_no_interval_and_seeds_that_agree_have_an_empty_one():
    assert iqm_interval([0.3]) == (0.3, None, None)
    assert iqm_interval([0.3, 0.3, 0.3]) == pytest.approx((0.3, 0.3, 0.3))


def test_two_seeds_resample_to_their_own_range():
    assert iqm_interval([1.0, 3.0]) == (2.0, 1.0, 3.0)


def test_about_95_percent_of_intervals_hold_the_truth():
    draws = np.random.default_rng(0).normal(size=(200, 20))
    held = [interval.low < 0 < interval.high for interval in map(iqm_interval, draws)]
    assert 0.88 <= np.mean(held) <= 0.99


def test_improvement_counts_pairs_and_gives_half_for_ties():
    ours, theirs = [1.0, 2.0, np.inf], [2.0, 3.0, np.inf]
    wins = [1.0 if a < b else 0.5 if a == b else 0.0 for a, b in itertools.product(ours, theirs)]
    forth, back = improvement([ours], [theirs]), improvement([theirs], [ours])
    assert forth.value == pytest.approx(np.mean(wins))
    assert forth.value + back.value == pytest.approx(1.0)
    assert 0 <= forth.low < forth.value < forth.high <= 1


def test_improvement_of_two_normal_laws_is_the_known_one():
    rng = np.random.default_rng(0)
    found = improvement([rng.normal(0, 1, 300)], [rng.normal(1, 1, 300)])
    truth = norm.cdf(1 / np.sqrt(2))
    assert found.low < truth < found.high
    assert found.value == pytest.approx(truth, abs=0.03)


def test_improvement_over_tasks_weighs_tasks_alike_however_many_runs_they_have():
    always, never = ([0.0] * 9, [1.0] * 9), ([1.0, 1.0], [0.0, 0.0])
    assert improvement([always[0], never[0]], [always[1], never[1]]) == (0.5, 0.5, 0.5)
    with pytest.raises(ValueError, match="2 tasks of ours and 1 of theirs"):
        improvement([[1.0], [1.0]], [[1.0]])


def test_strata_are_resampled_on_their_own():
    # Each stratum is constant: mixing them would vary the mean, resampling each alone cannot.
    assert stratified_iqm([[0.0] * 5, [1.0] * 5]) == pytest.approx((0.5, 0.5, 0.5))
    assert stratified_iqm([[0.0, 1.0], [1.0]]).low is None


def test_bands_are_the_interval_of_every_step():
    curves = np.random.default_rng(2).normal(size=(6, 3)) + np.arange(3)
    middle, low, high = iqm_bands(curves)
    np.testing.assert_allclose(middle, [iqm(curves[:, t]) for t in range(3)])
    assert (low < middle).all()
    assert (middle < high).all()
    for part in iqm_bands(curves[:1]):
        np.testing.assert_array_equal(part, curves[0])
