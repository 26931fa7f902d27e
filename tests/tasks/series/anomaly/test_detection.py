"""Detection measures: by hand on a few rows, and against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, precision_score, recall_score

from lstmlab.tasks.series.anomaly.baselines import (
    isolation_errors,
    moving_average_errors,
    moving_z_errors,
    season_of,
    seasonal_z_errors,
)
from lstmlab.tasks.series.anomaly.metrics import (
    average_precision,
    detection_metrics,
    point_metrics,
    runs,
    window_metrics,
)
from lstmlab.tasks.series.anomaly_scores import (
    Scorer,
    Threshold,
    error_vectors,
    ewma,
)

#         rows  0  1  2  3  4  5  6  7  8  9 10 11
LABELS = np.array([0, 0, 1, 1, 1, 1, 0, 0, 0, 1, 1, 0], bool)
FLAGS = np.array([1, 0, 0, 1, 0, 1, 1, 0, 1, 0, 0, 1], bool)


def test_runs_are_maximal():
    assert runs(LABELS) == [(2, 6), (9, 11)]
    assert runs(np.zeros(3, bool)) == []
    assert runs(np.ones(3, bool)) == [(0, 3)]


def test_windows_by_hand():
    """One window of two is found, at its second row; alarms: row 0, row 3, rows 5–6 (in a window), row 8, row 11."""
    measured = window_metrics(LABELS, FLAGS)
    assert measured == pytest.approx({
        "window_recall": 1 / 2,
        "window_precision": 1 / (1 + 3),
        "window_f1": 2 * 0.25 * 0.5 / 0.75,
        "false_alarms_per_1000": 1000 * 3 / 6,
        "delay": (1 + 2) / 2,
        "delay_share": (1 / 4 + 2 / 2) / 2,
    })  # fmt: skip


def test_an_alarm_that_begins_before_its_window_is_no_false_one():
    labels, flags = np.array([0, 0, 1, 1], bool), np.array([0, 1, 1, 0], bool)
    measured = window_metrics(labels, flags)
    assert (measured["window_precision"], measured["delay"], measured["false_alarms_per_1000"]) == (1, 0, 0)


def test_silence_finds_nothing_and_never_looks_quick():
    measured = window_metrics(LABELS, np.zeros(12, bool))
    assert measured["window_recall"] == measured["window_precision"] == measured["window_f1"] == 0
    assert measured["delay"] == 3
    assert measured["delay_share"] == 1
    assert measured["false_alarms_per_1000"] == 0


def test_without_windows_only_false_alarms_count():
    assert window_metrics(np.zeros(12, bool), FLAGS) == {"false_alarms_per_1000": 1000 * 5 / 12}
    assert detection_metrics(np.zeros(12, bool), FLAGS.astype(float), 0.5) == {"false_alarms_per_1000": 1000 * 5 / 12}


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_area_under_the_precision_recall_curve_is_scikit_learns(seed, ties):
    rng = np.random.default_rng(seed)
    labels = rng.random(500) < 0.1
    scores = rng.normal(size=500) + labels
    scores = np.round(scores) if ties else scores
    assert average_precision(labels, scores) == pytest.approx(average_precision_score(labels, scores), abs=1e-9)


def test_area_by_hand():
    labels, scores = np.array([1, 0, 1, 0], bool), np.array([4.0, 3.0, 2.0, 1.0])
    assert average_precision(labels, scores) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert average_precision(labels, np.zeros(4)) == 0.5
    with pytest.raises(ValueError, match="no row is labelled"):
        average_precision(np.zeros(4, bool), scores)


def test_points_are_scikit_learns():
    measured = point_metrics(LABELS, FLAGS)
    assert measured["point_precision"] == pytest.approx(precision_score(LABELS, FLAGS), abs=1e-9)
    assert measured["point_recall"] == pytest.approx(recall_score(LABELS, FLAGS), abs=1e-9)


def test_rows_above_the_threshold_are_flagged_and_rows_without_score_left_out():
    scores = np.concatenate([[np.nan, np.nan], np.where(FLAGS, 2.0, 1.0)])
    labels = np.concatenate([[True, True], LABELS])
    measured = detection_metrics(labels, scores, 1.0)
    assert measured == {
        "auprc": average_precision(LABELS, FLAGS * 1.0),
        **window_metrics(LABELS, FLAGS),
        **point_metrics(LABELS, FLAGS),
    }


def test_every_forecast_of_a_row_gives_an_error():
    values = np.array([[0.0], [10.0], [20.0], [30.0]])
    forecasts = np.array([[[1.0], [2.0]], [[3.0], [4.0]], [[5.0], [6.0]], [[7.0], [8.0]]])
    errors = error_vectors(forecasts, values)
    # Row 2 is forecast as 3 from row 1 and as 2 from row 0; nothing was forecast of row 0, once only of row 1.
    np.testing.assert_array_equal(errors[2:], [[20 - 3, 20 - 2], [30 - 5, 30 - 4]])
    assert np.isnan(errors[0]).all()
    np.testing.assert_array_equal(errors[1], [10 - 1, np.nan])


def test_the_score_of_one_error_is_its_squared_z():
    errors = np.array([[1.0], [3.0], [5.0], [3.0]])
    scorer = Scorer.fit(errors, 1, Threshold("sigma", 2.0))
    z = (errors[:, 0] - 3) ** 2 / 2
    np.testing.assert_allclose(scorer.scores(errors), z, rtol=1e-5)
    assert scorer.threshold == pytest.approx(z.mean() + 2 * z.std(), rel=1e-5)
    assert Scorer.fit(errors, 1, Threshold("quantile", 0.5)).threshold == pytest.approx(np.median(z), rel=1e-5)


def test_scores_of_several_errors_are_mahalanobis_distances():
    rng = np.random.default_rng(0)
    errors = rng.normal(size=(200, 3)) @ rng.normal(size=(3, 3)) + 1
    scorer = Scorer.fit(errors, 1, Threshold("sigma", 3))
    off = errors - errors.mean(axis=0)
    solved = np.linalg.solve(np.cov(errors.T, bias=True), off.T).T
    np.testing.assert_allclose(scorer.scores(errors), (off * solved).sum(axis=1) / 3, rtol=1e-3)
    assert scorer.scores(errors).mean() == pytest.approx(1, rel=1e-3)


def test_rows_without_errors_have_no_score_and_do_not_fit():
    errors = np.concatenate([[[np.nan]], np.random.default_rng(0).normal(size=(50, 1))])
    scorer = Scorer.fit(errors, 5, Threshold("sigma", 3))
    np.testing.assert_array_equal(scorer.mean, errors[1:].mean(axis=0))
    scores = scorer.scores(errors)
    assert np.isnan(scores[0])
    assert np.isfinite(scores[1:]).all()


def test_errors_that_are_always_the_same_do_not_break_the_scorer():
    scorer = Scorer.fit(np.ones((10, 2)), 1, Threshold("sigma", 3))
    assert scorer.scores(np.ones((3, 2))) == pytest.approx(0)
    assert scorer.scores(np.array([[1.0, 2.0]]))[0] > 1e6


def test_smoothing_by_hand():
    smooth = ewma(np.array([np.nan, 1.0, 4.0, 0.0]), 3)  # α = 1/2
    np.testing.assert_array_equal(smooth, [np.nan, 1.0, 2.5, 1.25])
    np.testing.assert_array_equal(ewma(np.array([1.0, 5.0]), 1), [1.0, 5.0])


def test_smoothing_does_not_look_ahead():
    values = np.random.default_rng(0).random(20)
    changed = np.where(np.arange(20) < 12, values, 7.0)
    np.testing.assert_array_equal(ewma(values, 4)[:12], ewma(changed, 4)[:12])


def test_moving_errors_by_hand():
    values = np.array([[1.0], [3.0], [5.0], [0.0]])
    np.testing.assert_array_equal(moving_average_errors(values, 2)[:, 0], [np.nan, np.nan, 3, -4])
    np.testing.assert_array_equal(moving_z_errors(values, 2)[:, 0], [np.nan, np.nan, 3, -4])
    np.testing.assert_array_equal(moving_z_errors(np.array([[1.0], [1.0], [2.0]]), 2)[2], [100.0])


def test_a_scorer_survives_being_written_down():
    scorer = Scorer.fit(np.random.default_rng(0).normal(size=(50, 2)), 4, Threshold("quantile", 0.9))
    again = Scorer.from_plain(scorer.to_plain())
    errors = np.random.default_rng(1).normal(size=(20, 2))
    np.testing.assert_array_equal(again.scores(errors), scorer.scores(errors))
    assert again.threshold == scorer.threshold


def test_robust_seasonal_z_scores_by_hand():
    values = np.array([1.0, 10, 2, 20, 4, 30, 5, 100])[:, None]
    found = seasonal_z_errors(values, 2, 6)
    # medians of the first six rows: 2 and 20; median absolute deviations 1 and 10
    expected = np.array([-1, -1, 0, 0, 2, 1, 3, 8]) / 1.4826
    np.testing.assert_allclose(found[:, 0], expected)
    np.testing.assert_allclose(seasonal_z_errors(values, 1, 6)[7, 0], (100 - 7) / (1.4826 * 5.5))


def test_a_week_is_a_season_where_training_has_two_of_them():
    hour = np.timedelta64(3600, "s")
    assert [season_of(hour, rows) for rows in (47, 48, 335, 336)] == [1, 24, 24, 168]
    assert season_of(None, 1000) == 1


def test_an_isolation_forest_sees_a_spike_and_nothing_later():
    values = np.random.default_rng(0).normal(size=(120, 1))
    values[100] = 15
    scores = isolation_errors(values, 80)
    assert np.isnan(scores[:7]).all()
    assert np.argmax(scores[80:]) + 80 in range(100, 108)
    later = values.copy()
    later[110:] = -9
    np.testing.assert_array_equal(isolation_errors(later, 80)[7:110], scores[7:110])
