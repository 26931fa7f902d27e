"""Baselines of forecasting, by hand on tiny series and against scikit-learn."""

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import LinearRegression

from lstmlab.tasks.series.boosted_forecaster import boosted_lags, examples
from lstmlab.tasks.series.forecast.baselines import FittedBaselines, naive_scale
from lstmlab.tasks.series.forecast.task import Forecast
from lstmlab.tasks.series.linear_forecasters import (
    LEAST,
    around,
    change_reader,
    fit_linear,
    joint_reader,
    window_reader,
)
from lstmlab.tasks.series.naive_forecasters import (
    climatology,
    drift,
    persistence,
    seasonal_naive,
    seasons,
    slot_means,
    times_of_week,
)
from lstmlab.tasks.series.statistics import wilson_interval

SERIES = np.array([[1.0], [2.0], [4.0], [3.0], [5.0], [9.0], [7.0]])


def of(forecaster, *origins):
    return forecaster(SERIES, np.array(origins))[..., 0].tolist()


def test_by_hand():
    assert of(persistence(2), 3, 5) == [[4, 4], [5, 5]]
    assert of(drift(2, 3), 3, 5) == [[5.5, 7], [5.5, 6]]  # slopes (4 − 1)/2 and (5 − 4)/2
    assert of(seasonal_naive(5, 2), 4) == [[4, 3, 4, 3, 4]]
    assert of(seasonal_naive(2, 3), 3, 4) == [[1, 2], [2, 4]]
    assert naive_scale(SERIES[:5], 2).tolist() == [pytest.approx((3 + 1 + 1) / 3)]


def test_errors_by_hand():
    """Persistence from rows 3 and 4, one ahead: errors 1 and 2; a train part of four rows, season 1."""
    errors = FittedBaselines(SERIES, {"train": (0, 4), "validation": (4, 5)}, 1, 1, 2).errors(np.array([3, 4]))
    assert errors["persistence"] == pytest.approx(
        {"mse": 2.5, "mae": 1.5, "mase": 1.5 / ((1 + 2 + 1) / 3), "direction_accuracy": 0.5}
    )
    assert "seasonal naive" not in errors


def linear(train, horizon, window, read=window_reader):
    """As DLinear: fitted on these rows, without a choice on validation."""
    spans = {"train": (0, len(train)), "validation": (len(train), len(train))}
    return fit_linear(read(window), train, spans, window, horizon, LEAST)


def walk(rows=300, columns=2):
    return np.cumsum(np.random.default_rng(0).normal(size=(rows, columns)), axis=0)


def windows(series, origins, window, horizon):
    """Examples column by column: ``[n, window]`` and ``[n, horizon]``."""
    pairs = [(series[o - window : o, c], series[o : o + horizon, c]) for o in origins for c in range(series.shape[1])]
    return np.array([x for x, _ in pairs]), np.array([y for _, y in pairs])


def test_a_series_that_repeats_itself_has_no_scaled_error():
    days = np.tile(np.sin(np.arange(24)), 20)[:, None]
    baselines = FittedBaselines(days, {"train": (0, 300), "validation": (300, 350)}, season=24, horizon=3, window=30)
    assert baselines.scale is None
    assert set(baselines.errors(np.arange(300, 400))["persistence"]) == {"mse", "mae", "direction_accuracy"}


def test_the_linear_baseline_is_the_regression_of_all_columns_at_once():
    series, train = walk(), walk()[:200]
    seen, truth = windows(train, range(12, 200 - 3 + 1), 12, 3)
    model = LinearRegression().fit(seen, truth)
    origins = np.arange(200, 290)
    expected = model.predict(windows(series, origins, 12, 3)[0]).reshape(90, 2, 3).swapaxes(1, 2)
    np.testing.assert_allclose(linear(train, 3, 12)(series, origins), expected, rtol=1e-3, atol=1e-3)


def test_the_parts_of_dlinear_add_nothing_to_one_linear_map():
    """Moving average (ends repeated, as its authors do) and remainder, each with weights of its own."""
    series, window = walk(columns=1), 12
    kernel = 5

    def parts(x):
        padded = np.pad(x, ((0, 0), (kernel // 2, kernel // 2)), mode="edge")
        trend = np.stack([padded[:, i : i + kernel].mean(axis=1) for i in range(window)], axis=1)
        return np.concatenate([trend, x - trend, np.ones((len(x), 1))], axis=1)

    seen, truth = windows(series[:200], range(window, 198), window, 3)
    weights = np.linalg.lstsq(parts(seen), truth, rcond=None)[0]
    origins = np.arange(200, 290)
    expected = parts(windows(series, origins, window, 3)[0]) @ weights
    np.testing.assert_allclose(linear(series[:200], 3, window)(series, origins)[..., 0], expected, rtol=1e-3, atol=1e-3)


def test_a_linear_rule_is_found_and_long_windows_stay_finite():
    line = np.arange(60.0)[:, None]
    np.testing.assert_allclose(linear(line[:40], 2, 4)(line, np.array([50]))[0, :, 0], [50, 51], rtol=1e-3)
    short = walk(30, 1)
    assert np.isfinite(linear(short, 2, 25)(short, np.array([25]))).all()


def test_nlinear_is_the_regression_of_changes():
    series, train = walk(), walk()[:200]
    seen, truth = windows(train, range(12, 200 - 3 + 1), 12, 3)
    model = LinearRegression().fit(seen - seen[:, -1:], truth - seen[:, -1:])
    origins = np.arange(200, 290)
    seen, _ = windows(series, origins, 12, 3)
    expected = (model.predict(seen - seen[:, -1:]) + seen[:, -1:]).reshape(90, 2, 3).swapaxes(1, 2)
    np.testing.assert_allclose(linear(train, 3, 12, change_reader)(series, origins), expected, rtol=1e-3, atol=1e-3)


def test_the_joint_map_is_the_regression_of_everything_with_the_penalty_that_validation_likes():
    series, others, calendar = walk(300, 2), walk(300, 3)[:, 2:], np.random.default_rng(3).normal(size=(300, 2))
    spans = {"train": (0, 200), "validation": (200, 250)}

    def inputs(origins):
        return np.array([np.r_[series[o - 5 : o].T.ravel(), others[o - 5 : o, 0], calendar[o - 1]] for o in origins])

    def truth(origins):
        return np.array([series[o : o + 2].T.ravel() for o in origins])

    train, test = np.arange(5, 199), np.arange(250, 290)
    expected = LinearRegression().fit(inputs(train), truth(train)).predict(inputs(test)).reshape(40, 2, 2)
    read = joint_reader(5, others, calendar)
    found = fit_linear(read, series, spans, 5, 2, (1e-12,))(series, test)
    np.testing.assert_allclose(found, expected.swapaxes(1, 2), rtol=1e-4, atol=1e-4)
    validation = np.arange(200, 249)
    errors = {}
    for strength in (1e-6, 1.0, 100.0):
        guess = fit_linear(read, series, spans, 5, 2, (strength,))
        errors[strength] = ((guess(series, validation).swapaxes(1, 2).reshape(49, 4) - truth(validation)) ** 2).mean()
    best = min(errors, key=errors.get)
    chosen = fit_linear(read, series, spans, 5, 2, tuple(errors))(series, test)
    np.testing.assert_array_equal(chosen, fit_linear(read, series, spans, 5, 2, (best,))(series, test))


def test_climatology_is_the_mean_of_the_hour_of_the_week():
    times = np.datetime64("2024-01-01T00", "s") + np.arange(24 * 28) * np.timedelta64(3600, "s")
    step = np.timedelta64(3600, "s")
    assert seasons(step, 100) == {"day": 24}
    assert seasons(step, 168) == {"day": 24, "week": 168}
    assert seasons(None, 100) == {}
    assert set(times_of_week(times[:: 24 * 7], np.timedelta64(86400, "s"))) == {0}
    slots = times_of_week(times, step)
    series = np.random.default_rng(0).normal(size=(len(times), 1)) + slots[:, None]
    means = slot_means(series[:400], slots)
    assert means[500, 0] == pytest.approx(np.mean([series[i, 0] for i in range(500 % 168, 400, 168)]))
    np.testing.assert_array_equal(climatology(3, means)(series, np.array([500]))[0], means[500:503])
    constant = around(means, series, lambda residual: persistence(3))(series, np.array([500]))[0]
    np.testing.assert_allclose(constant, means[500:503] + series[499] - means[499])


def test_boosted_trees_read_the_lags_and_see_nothing_later():
    series, none = walk(260, 1), np.zeros((260, 0))
    spans = {"train": (0, 180), "validation": (180, 220)}
    forecaster = boosted_lags(series, none, none, spans, 6, 2, season=3)
    origins = np.arange(220, 255)
    changed = series.copy()
    changed[230:] += 5
    np.testing.assert_array_equal(forecaster(series, origins[:10]), forecaster(changed, origins[:10]))
    assert (forecaster(series, origins) != forecaster(changed, origins))[11:].any()
    features, last = examples(series, none, none, np.array([50]), 2, np.array([1, 2]), 3)
    assert last.tolist() == [series[49, 0]] * 2
    y = series[:, 0]
    expected = [[k, 0, y[49], 0, y[48] - y[49], y[47 + k] - y[49]] for k in range(2)]
    np.testing.assert_allclose(features, expected)


def test_weather_has_its_known_baselines():
    found = Forecast(calendar=True).baselines()
    assert found["DLinear (least squares)"] == pytest.approx(0.2598, abs=5e-5)
    assert found["linear with calendar"] < 0.2345  # of the window and the calendar without a penalty


def test_traffic_has_its_known_baselines():
    found = Forecast(dataset="traffic", window=72, horizon=24, calendar=True).baselines()
    assert found["climatology"] == pytest.approx(0.0422, abs=5e-5)
    assert found["climatology + linear"] == pytest.approx(0.0371, abs=1e-4)
    assert next(iter(found)) == "climatology + linear"


@pytest.mark.parametrize(("right", "total"), [(0, 5), (3, 7), (520, 1000), (9, 9)])
def test_wilsons_interval_is_that_of_scipy_and_of_the_formula(right, total):
    expected = stats.binomtest(right, total).proportion_ci(method="wilson")
    assert wilson_interval(right, total) == pytest.approx((expected.low, expected.high), abs=1e-6)
    share, spread = right / total, 1.959964**2 / total
    centre = (share + spread / 2) / (1 + spread)
    reach = 1.959964 * (share * (1 - share) / total + spread / (4 * total)) ** 0.5 / (1 + spread)
    assert wilson_interval(right, total) == pytest.approx((centre - reach, centre + reach), abs=1e-6)
