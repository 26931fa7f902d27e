"""Figures: lines and names are where they should be, and no global state is touched."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.text import Text
from PIL import Image

from lstmlab.plots import curves as plots
from lstmlab.plots.curves import COLOURS, curves, forecast

X = np.arange(10)


@pytest.fixture
def figures(monkeypatch):
    """The figures that were saved, to look into."""
    saved = []
    save = plots._save

    def keep(figure, path):
        saved.append(figure)
        save(figure, path)

    monkeypatch.setattr(plots, "_save", keep)
    return saved


def names(axes):
    return {text.get_text(): text for text in axes.texts}


def has_colour(path, colour):
    pixels = np.asarray(Image.open(path).convert("RGB"), int)
    wanted = np.array(to_rgb(colour)) * 255
    return bool((np.abs(pixels - wanted).max(-1) <= 2).any())


def test_every_line_is_drawn_and_named_in_its_colour(tmp_path, figures):
    path = tmp_path / "curves.png"
    series = {"lstm": (X, X / 10), "gru": (X, 1 - X / 20)}
    curves(path, series, y_label="loss", title="Adding", baselines={"guess": 0.167})
    assert Image.open(path).format == "PNG"
    assert has_colour(path, COLOURS[0])
    assert has_colour(path, COLOURS[1])
    assert not has_colour(path, COLOURS[2])
    [axes] = figures[0].axes
    assert {name: text.get_color() for name, text in names(axes).items()} == {
        "lstm": COLOURS[0],
        "gru": COLOURS[1],
        "guess": plots._FAINT,
    }
    np.testing.assert_array_equal(axes.lines[0].get_xydata(), np.stack([X, X / 10], 1))
    np.testing.assert_array_equal(axes.lines[2].get_ydata(), [0.167, 0.167])
    assert (axes.get_ylabel(), axes.get_xlabel()) == ("loss", "step")
    assert axes.get_title("left") == "Adding"


def test_names_stand_beside_the_data_at_the_height_of_the_lines_end(tmp_path, figures):
    curves(tmp_path / "c.png", {"low": (X, X * 0.0), "high": (X, X * 1.0)})
    [axes] = figures[0].axes
    places = {name: text.get_position() for name, text in names(axes).items()}
    assert all(x > 1 for x, _ in places.values())
    assert places["low"][1] == pytest.approx(axes.transLimits.transform((9, 0.0))[1])
    assert places["high"][1] == pytest.approx(axes.transLimits.transform((9, 9.0))[1])


def test_names_do_not_overlap_however_close_the_lines_end(tmp_path, figures):
    series = {f"cell {i}": (X, X * 0.0 + i * 1e-6) for i in range(8)}
    curves(tmp_path / "c.png", {**series, "other": (X, X * 1.0)})
    [axes] = figures[0].axes
    figures[0].draw_without_rendering()  # saving was in another resolution
    # The extent of the text alone: that of an annotation takes its leader line along.
    boxes = sorted((Text.get_window_extent(text) for text in axes.texts), key=lambda box: box.y0)
    assert all(low.y1 <= high.y0 for low, high in itertools.pairwise(boxes))
    figure = figures[0].bbox
    assert all(box.x1 <= figure.x1 and box.y0 >= 0 and box.y1 <= figure.y1 for box in boxes)


@pytest.mark.parametrize("count", [0, 1, 2, 17, 40])
def test_places_keep_the_order_the_distance_and_the_axes(count):
    heights = np.random.default_rng(count).uniform(0, 1, count).tolist()
    places = np.array(plots._spread(heights))
    np.testing.assert_array_equal(np.argsort(places), np.argsort(heights))
    assert ((places > -1e-9) & (places < 1 + 1e-9)).all()
    gaps = np.diff(np.sort(places))
    assert (gaps >= min(0.06, 1 / max(count - 1, 1)) - 1e-9).all()


def test_places_that_are_far_enough_apart_stay(tmp_path):
    assert plots._spread([0.9, 0.1, 0.5]) == pytest.approx([0.9, 0.1, 0.5])


def test_a_line_that_stops_early_ends_in_a_cross(tmp_path, figures):
    diverged = np.where(X < 5, X * 1.0, np.nan)
    series = {"whole": (X, X), "diverged": (X, diverged), "short": (X[:4], X[:4])}
    curves(tmp_path / "c.png", {**series, "dead": (X, np.full(10, np.inf))})
    [axes] = figures[0].axes
    crosses = [line.get_xydata().tolist() for line in axes.lines if line.get_marker() == "x"]
    assert crosses == [[[4, 4]], [[3, 3]]]
    assert "dead (no finite value)" in names(axes)


def test_a_logarithmic_axis_leaves_out_what_is_not_positive(tmp_path, figures):
    loss = np.where(X == 5, -1.0, 10.0 ** (-X))
    curves(tmp_path / "c.png", {"loss": (X, loss), "zero": (X, X * 0.0)}, log_y=True)
    [axes] = figures[0].axes
    np.testing.assert_array_equal(np.isnan(axes.lines[0].get_ydata()), X == 5)
    assert axes.get_yscale() == "log"
    assert axes.get_ylim()[0] > 0
    assert "zero (no finite value)" in names(axes)


def test_bands_are_shaded_around_their_line(tmp_path, figures):
    bands = {"lstm": (X - 1.0, X + 1.0)}
    curves(tmp_path / "c.png", {"lstm": (X, X), "gru": (X, X + 3)}, bands=bands)
    [band] = figures[0].axes[0].collections
    np.testing.assert_allclose(band.get_facecolor()[0, :3], to_rgb(COLOURS[0]))
    heights = band.get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == (-1.0, 10.0)


def test_more_lines_than_colours_differ_in_dashes(tmp_path, figures):
    count = 2 * len(COLOURS)
    curves(tmp_path / "c.png", {f"cell {i}": (X, X + i) for i in range(count)})
    lines = figures[0].axes[0].lines
    looks = {(line.get_color(), line._unscaled_dash_pattern[1] is None) for line in lines}
    assert len(looks) == count


def test_a_figure_without_series_is_still_a_figure(tmp_path):
    curves(tmp_path / "c.png", {})
    assert Image.open(tmp_path / "c.png").format == "PNG"


@pytest.mark.parametrize("times", [np.arange(20), np.arange("2020-01", "2021-09", dtype="datetime64[M]")])
def test_a_forecast_covers_the_end_and_joins_the_last_true_value(tmp_path, figures, times):
    truth = np.sin(np.arange(20))
    predictions = {"lstm": np.full(5, 2.0), "naive": np.full(3, 1.0)}
    forecast(tmp_path / "f.png", times, truth, predictions, y_label="degrees")
    [axes] = figures[0].axes
    assert list(names(axes)) == ["truth", "lstm", "naive"]
    true_line, first, second, marker = axes.lines
    np.testing.assert_array_equal(true_line.get_ydata(), truth)
    np.testing.assert_array_equal(first.get_ydata(), [truth[14], 2, 2, 2, 2, 2])
    np.testing.assert_array_equal(second.get_ydata(), [truth[16], 1, 1, 1])
    assert np.array_equal(first.get_xdata(), times[14:])
    assert set(marker.get_xdata()) == {times[14]}


def test_a_forecast_that_is_made_anew_starts_from_the_truth_each_time_within_its_band(tmp_path, figures):
    truth, guess = np.arange(10.0), np.full(6, 3.0)
    forecast(tmp_path / "f.png", X, truth, {"lstm": guess}, bands={"lstm": (guess - 1, guess + 2)}, anew=3)
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
    ("draw", "message"),
    [
        (lambda p: curves(p, {"a": (X, X[:3])}), "'a': xs .* need one length"),
        (lambda p: forecast(p, X, X[:3], {}), "times .* need one length"),
        (lambda p: forecast(p, X, X, {"a": np.zeros(11)}), "forecast 'a' has shape"),
        (lambda p: forecast(p, X, X, {"a": np.zeros(0)}), "forecast 'a' has shape"),
    ],
)
def test_lengths_that_do_not_fit_are_refused(tmp_path, draw, message):
    with pytest.raises(ValueError, match=message):
        draw(tmp_path / "f.png")
    assert not (tmp_path / "f.png").exists()


def test_pyplot_is_never_loaded(tmp_path):
    program = (
        "import sys\n"
        "from lstmlab.plots.curves import curves\n"
        "curves(sys.argv[1], {'a': ([0, 1], [1, 2])})\n"
        "print('matplotlib.pyplot' in sys.modules)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "c.png")]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stdout == "False\n"
