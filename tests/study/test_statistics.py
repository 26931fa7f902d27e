"""Intervals and probabilities of improvement, against SciPy, published numbers and counts by hand."""

import itertools

import numpy as np
import pytest
from scipy.stats import norm, ttest_1samp

from lstmlab.study.statistics import (
    bands,
    binomial_interval,
    improvement,
    iqm,
    iqm_interval,
    mean_interval,
    mean_over_tasks,
    newcombe,
    prediction_interval,
    statistic_for,
)


def test_the_interquartile_mean_leaves_out_the_lowest_and_the_highest_quarter():
    assert iqm([8.0, 1.0, 100.0, 2.0, 3.0, -50.0, 4.0, 5.0]) == np.mean([2.0, 3.0, 4.0, 5.0])
    assert iqm([1.0, 2.0, 9.0]) == 4.0


def test_the_interval_of_the_mean_is_students():
    values = np.random.default_rng(1).normal(size=5)
    found = ttest_1samp(values, 0.0).confidence_interval()
    assert mean_interval(values) == pytest.approx((values.mean(), found.low, found.high))


def test_few_seeds_have_no_interval_and_seeds_that_agree_have_an_empty_one():
    assert mean_interval([0.3]) == (0.3, None, None)
    assert mean_interval([1.0, 3.0]) == (2.0, None, None)
    assert mean_interval([0.3, 0.3, 0.3]) == pytest.approx((0.3, 0.3, 0.3))
    assert iqm_interval(range(11)) == (5.0, None, None)


@pytest.mark.parametrize(("seeds", "interval"), [(3, mean_interval), (5, mean_interval), (20, iqm_interval)])
def test_about_95_percent_of_intervals_hold_the_truth(seeds, interval):
    draws = np.random.default_rng(0).normal(size=(500, seeds))
    held = [found.low < 0 < found.high for found in map(interval, draws)]
    assert 0.93 <= np.mean(held) <= 0.97


@pytest.mark.parametrize(("recorded", "seeds", "level"), [(3, 3, 0.95), (10, 1, 0.8)])
def test_prediction_intervals_hold_the_mean_of_new_runs_as_often_as_they_say(recorded, seeds, level):
    rng = np.random.default_rng(0)
    held = []
    for _ in range(1000):
        found = prediction_interval(rng.normal(size=recorded), seeds, level=level)
        held.append(found.low < rng.normal(size=seeds).mean() < found.high)
    assert np.mean(held) == pytest.approx(level, abs=0.025)


def test_a_prediction_interval_allows_for_rounding_and_for_what_the_metric_can_resolve():
    assert prediction_interval([0.5, 0.6], 3) == (0.55, None, None)
    exact = prediction_interval([0.7, 0.7, 0.7], 3)
    assert exact.low < np.float32(0.7) < exact.high < 0.7001
    assert prediction_interval([1.0, 1.0, 1.0], 3, resolution=0.01) == pytest.approx((1.0, 0.99, 1.01))


def test_shares_of_few_examples_have_an_interval_inside_0_and_1():
    # No failure among n: Wilson's lower end is n / (n + z²).
    assert binomial_interval(1.0, 50) == pytest.approx((1.0, 50 / (50 + norm.ppf(0.975) ** 2), 1.0))


@pytest.mark.parametrize("truth", [0.7, 0.9])
def test_about_95_percent_of_intervals_of_three_seeds_hold_the_probability_of_improvement(truth):
    rng, shift = np.random.default_rng(0), np.sqrt(2) * norm.ppf(truth)
    pairs = zip(rng.normal(size=(500, 3)), rng.normal(size=(500, 3)) + shift, strict=True)
    held = [found.low <= truth <= found.high for found in (improvement([a], [b]) for a, b in pairs)]
    assert 0.93 <= np.mean(held) <= 0.97


def test_the_statistic_is_that_whose_interval_covers_in_every_row():
    assert [statistic_for(counts) for counts in ([12, 30], [11, 30], [])] == ["IQM", "mean", "mean"]


def test_improvement_counts_pairs_and_gives_half_for_ties():
    ours, theirs = [1.0, 2.0, np.inf], [2.0, 3.0, np.inf]
    wins = [1.0 if a < b else 0.5 if a == b else 0.0 for a, b in itertools.product(ours, theirs)]
    forth, back = improvement([ours], [theirs]), improvement([theirs], [ours])
    assert forth.value == pytest.approx(np.mean(wins))
    assert forth.value + back.value == pytest.approx(1.0)
    assert 0 <= forth.low < forth.value < forth.high <= 1
    assert improvement([ours[:2]], [theirs]) is None


def test_improvement_of_two_normal_laws_is_the_known_one():
    rng = np.random.default_rng(0)
    found = improvement([rng.normal(0, 1, 300)], [rng.normal(1, 1, 300)])
    truth = norm.cdf(1 / np.sqrt(2))
    assert found.low < truth < found.high
    assert found.value == pytest.approx(truth, abs=0.03)


def test_the_ends_of_newcombes_interval_are_196_standard_errors_away():
    for value, n, m in ((0.5, 3, 3), (0.8, 5, 9), (1.0, 3, 3)):
        star = (n + m) / 2 - 1
        for end in newcombe(value, n, m):
            variance = end * (1 - end) * (1 + star * (1 - end) / (2 - end) + star * end / (1 + end)) / (n * m)
            assert abs(end - value) == pytest.approx(1.959964 * np.sqrt(variance), abs=1e-6)
    low, high = newcombe(1.0, 3, 3)
    assert low == pytest.approx(0.501, abs=0.001)
    assert high == 1.0
    assert newcombe(0.0, 3, 3) == pytest.approx((0.0, 1 - low))


def test_improvement_over_tasks_weighs_tasks_alike_however_many_runs_they_have():
    always, never = ([0.0] * 9, [1.0] * 9), ([1.0] * 3, [0.0] * 3)
    found = improvement([always[0], never[0]], [always[1], never[1]])
    assert found.value == 0.5
    assert found.low == pytest.approx(0.5 - (1 - newcombe(1.0, 9, 9)[0]) / 2)
    assert found.high == pytest.approx(0.5 + newcombe(0.0, 3, 3)[1] / 2)
    with pytest.raises(ValueError, match="2 tasks of ours and 1 of theirs"):
        improvement([[1.0], [1.0]], [[1.0]])


def test_the_mean_over_tasks_is_uncertain_by_the_seeds_of_each_alone():
    # Each task is constant: its level adds nothing to the uncertainty.
    assert mean_over_tasks([[0.0] * 5, [1.0] * 5]) == pytest.approx((0.5, 0.5, 0.5))
    assert mean_over_tasks([[0.0, 1.0, 2.0], [1.0]]).low is None
    draws = np.random.default_rng(0).normal(size=(500, 3, 3)) + np.array([0.0, 10.0, 20.0])[:, None]
    held = [found.low < 10.0 < found.high for found in map(mean_over_tasks, draws)]
    assert 0.93 <= np.mean(held) <= 0.98


def test_bands_are_the_interval_of_every_step_or_the_range():
    curves = np.random.default_rng(2).normal(size=(6, 3)) + np.arange(3)
    np.testing.assert_allclose(np.transpose(bands(curves, interval=True)), [mean_interval(c) for c in curves.T])
    found = bands(curves, interval=False)
    np.testing.assert_allclose(found, [curves.mean(0), curves.min(0), curves.max(0)])
