"""Anomalies, maps, piano rolls and attention: what is drawn is what was given."""

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.lines import Line2D

from lstmlab.plots.anomaly import anomaly_plot
from lstmlab.plots.attention import attention_map
from lstmlab.plots.maps import film, maps
from lstmlab.plots.piano import piano_rolls
from lstmlab.plots.style import DOTTED

LATITUDE, LONGITUDE = np.array([-10.0, 0.0, 10.0]), np.array([100.0, 110.0, 120.0, 130.0])


def legend(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_rows_above_the_threshold_are_flagged_and_rows_without_a_score_are_not(tmp_path, figures):
    values, scores = np.arange(20.0).reshape(10, 2), np.arange(10.0)
    scores[:2] = np.nan
    anomaly_plot(tmp_path / "a.png", values, scores, 6.5, names=["x", "y"], windows=[(6, 9)], train_end=4)
    first, second, score = figures[0].axes
    for axes, column in ((first, 0), (second, 1)):
        assert axes.lines[1].get_xydata().tolist() == [[row, values[row, column]] for row in (7, 8, 9)]
    assert (first.get_ylabel(), second.get_ylabel(), score.get_ylabel()) == ("x", "y", "score")
    assert score.get_yscale() == "linear"
    assert legend(first) == ["labelled", "flagged", "threshold", "end of training part"]


def test_a_part_of_the_rows_shows_its_own_windows_and_a_wide_range_of_scores_is_logarithmic(tmp_path, figures):
    scores = np.full(20, 1.0)
    scores[15] = 1e5
    anomaly_plot(
        tmp_path / "a.png", np.ones((20, 5)), scores, 2.0, names="abcde", windows=[(0, 3)], train_end=4, rows=(10, 20)
    )
    *columns, score = figures[0].axes
    assert len(columns) == 3
    assert score.get_yscale() == "log"
    assert not any(axes.patches for axes in figures[0].axes)
    assert "end of training part" not in legend(columns[0])
    assert not any(line.get_linestyle() == Line2D([], [], linestyle=DOTTED).get_linestyle() for line in score.lines[2:])


def test_maps_have_one_symmetric_scale_and_land_is_grey(tmp_path, figures):
    truth = np.linspace(-1, 3, 12).reshape(3, 4)
    truth[0, 0] = np.nan
    maps(tmp_path / "m.png", [("truth", truth), ("model", -truth)], latitude=LATITUDE, longitude=LONGITUDE, label="°C")
    top, below, bar = figures[0].axes
    images = [axes.images[0] for axes in (top, below)]
    assert [axes.get_title("left") for axes in (top, below)] == ["truth", "model"]
    assert {image.get_clim() for image in images} == {(-images[0].norm.vmax, images[0].norm.vmax)}
    assert images[0].get_extent() == [95.0, 135.0, -15.0, 15.0]
    assert tuple(images[0].cmap.get_bad()) == to_rgba("#BDBDBD")
    assert bar.get_ylabel() == "°C"


@pytest.mark.parametrize("fields", [[], [("truth", np.zeros((4, 3)))]])
def test_fields_that_do_not_fit_the_grid_are_refused(tmp_path, fields):
    with pytest.raises(ValueError, match=r"at least one field|field 'truth' has shape \(4, 3\)"):
        maps(tmp_path / "m.png", fields, latitude=LATITUDE, longitude=LONGITUDE)


def test_a_film_has_a_frame_per_time_with_north_on_top(tmp_path):
    fields = np.zeros((2, 3, 4))
    fields[:, 2] = 5.0  # the northernmost row is warm
    frames = film({"truth": fields, "model": fields}, ["2020-01", "2020-02"], zoom=3)
    assert frames.dtype == np.uint8
    assert frames.shape == (2, 2 * (20 + 3 * 6), 4 * 3, 3)
    north, south = frames[0, 20, 0].astype(int), frames[0, 37, 0].astype(int)
    assert north[0] > north[2] + 50  # red
    assert abs(south[0] - south[2]) < 20  # neither


def test_piano_rolls_show_the_keys_that_sound_and_what_was_given(tmp_path, figures):
    roll = np.zeros((8, 40))
    roll[2, 10] = roll[3, 14] = 1.0
    piano_rolls(tmp_path / "p.png", {"data": roll, "model": roll}, lowest=50, given=2)
    top, below = figures[0].axes
    assert (top.get_ylabel(), below.get_ylabel(), below.get_xlabel()) == ("data", "model", "step (quarter note)")
    assert top.get_ylim() == (57.5, 66.5)
    assert [label.get_text() for label in top.get_yticklabels()] == ["C4"]
    assert [text.get_text() for text in top.texts] == ["given"]
    np.testing.assert_array_equal(top.images[0].get_array()[..., 3], roll.T)


def test_attention_is_darker_where_the_weight_is_larger_and_padding_is_left_out():
    weights = np.array([[1.0, 0.0, 0.3], [0.25, 0.75, 0.3], [9.0, 9.0, 9.0]])
    page = attention_map(weights, ["a", "b"], ["x", "y"])
    top, left = page.shape[0] - 2 * 24, page.shape[1] - 2 * 24
    middles = page[top + 12 :: 24, left + 12 :: 24]
    np.testing.assert_array_equal(middles, [[0, 255], [191, 64]])
