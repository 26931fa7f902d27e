"""Baselines of forecasting, by hand on tiny series and against scikit-learn."""

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import LinearRegression

from lstmlab.tasks.series.forecast.baselines import (
    FittedBaselines,
    drift,
    linear,
    naive_scale,
    persistence,
    seasonal_naive,
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
    errors = FittedBaselines(SERIES, 4, 1, 1, 2).errors(np.array([3, 4]))
    assert errors["persistence"] == pytest.approx(
        {"mse": 2.5, "mae": 1.5, "mase": 1.5 / ((1 + 2 + 1) / 3), "direction_accuracy": 0.5}
    )
    assert "seasonal naive" not in errors


def walk(rows=300, columns=2):
    return np.cumsum(np.random.default_rng(0).normal(size=(rows, columns)), axis=0)


def windows(series, origins, window, horizon):
    """Examples column by column: ``[n, window]`` and ``[n, horizon]``."""
    pairs = [(series[o - window : o, c], series[o : o + horizon, c]) for o in origins for c in range(series.shape[1])]
    return np.array([x for x, _ in pairs]), np.array([y for _, y in pairs])


def test_a_series_that_repeats_itself_has_no_scaled_error():
    days = np.tile(np.sin(np.arange(24)), 20)[:, None]
    baselines = FittedBaselines(days, 300, season=24, horizon=3, window=30)
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


@pytest.mark.parametrize(("right", "total"), [(0, 5), (3, 7), (520, 1000), (9, 9)])
def test_wilsons_interval_is_that_of_scipy_and_of_the_formula(right, total):
    expected = stats.binomtest(right, total).proportion_ci(method="wilson")
    assert wilson_interval(right, total) == pytest.approx((expected.low, expected.high), abs=1e-6)
    share, spread = right / total, 1.959964**2 / total
    centre = (share + spread / 2) / (1 + spread)
    reach = 1.959964 * (share * (1 - share) / total + spread / (4 * total)) ** 0.5 / (1 + spread)
    assert wilson_interval(right, total) == pytest.approx((centre - reach, centre + reach), abs=1e-6)
