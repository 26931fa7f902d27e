"""Curves: lines and names are where they should be, and no global state is touched."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.text import Text
from PIL import Image

from lstmlab.plots.curves import curves
from lstmlab.plots.style import COLOURS, FAINT

X = np.arange(10)


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
        "guess": FAINT,
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


@pytest.mark.parametrize("count", [3, 11])
def test_xs_and_ys_of_different_lengths_are_refused(tmp_path, count):
    with pytest.raises(ValueError, match=r"'a': xs .* need one length"):
        curves(tmp_path / "c.png", {"a": (X, np.zeros(count))})
    assert not (tmp_path / "c.png").exists()


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
