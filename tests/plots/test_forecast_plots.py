"""Forecasts: drawn from the last true value, over the right times."""

import numpy as np
import pytest

from lstmlab.plots.forecast import forecast

X = np.arange(10)


def names(axes):
    return [text.get_text() for text in axes.texts]


@pytest.mark.parametrize("times", [np.arange(20), np.arange("2020-01", "2021-09", dtype="datetime64[M]")])
def test_a_forecast_covers_the_end_and_joins_the_last_true_value(tmp_path, figures, times):
    truth = np.sin(np.arange(20))
    predictions = {"lstm": np.full(5, 2.0), "naive": np.full(3, 1.0)}
    forecast(tmp_path / "f.png", times, truth, predictions, y_label="degrees")
    [axes] = figures[0].axes
    assert names(axes) == ["truth", "lstm", "naive"]
    true_line, first, second, marker = axes.lines
    np.testing.assert_array_equal(true_line.get_ydata(), truth)
    np.testing.assert_array_equal(first.get_ydata(), [truth[14], 2, 2, 2, 2, 2])
    np.testing.assert_array_equal(second.get_ydata(), [truth[16], 1, 1, 1])
    assert np.array_equal(first.get_xdata(), times[14:])
    assert set(marker.get_xdata()) == {times[14]}


def test_several_forecasts_each_start_from_the_truth_within_one_band(tmp_path, figures):
    truth, guess = np.arange(10.0), np.full(6, 3.0)
    forecast(tmp_path / "f.png", X, truth, {"lstm": guess}, bands={"lstm": (guess - 1, guess + 2)}, horizon=3)
    (axes,) = figures[-1].axes
    pieces = [line.get_ydata().tolist() for line in axes.lines[1:3]]
    assert pieces == [[3, 3, 3, 3], [6, 3, 3, 3]]
    (band,) = axes.collections
    corners = band.get_paths()[0].vertices
    assert (corners.min(axis=0).tolist(), corners.max(axis=0).tolist()) == ([X[4], 2], [X[9], 5])


def test_a_forecast_of_the_whole_series_needs_no_value_before_it(tmp_path, figures):
    forecast(tmp_path / "f.png", X, X, {"lstm": X + 1})
    np.testing.assert_array_equal(figures[0].axes[0].lines[1].get_ydata(), X + 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((X, X[:3], {}), "times .* need one length"),
        ((X, X, {"a": np.zeros(11)}), "forecast 'a' has shape"),
        ((X, X, {"a": np.zeros(0)}), "forecast 'a' has shape"),
    ],
)
def test_lengths_that_do_not_fit_are_refused(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        forecast(tmp_path / "f.png", *arguments)
    assert not (tmp_path / "f.png").exists()
