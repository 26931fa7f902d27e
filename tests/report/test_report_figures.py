"""Figures of reports: their traces hold what they were given."""

import numpy as np
import pytest

pytest.importorskip("plotly")
from lstmlab.plots.style import COLOURS
from lstmlab.report.figures import (
    Curve,
    Point,
    Row,
    add_marks,
    intervals,
    learning_curves,
    parallel_coordinates,
    ranks,
    styles_of,
    theme,
    time_against_quality,
)
from lstmlab.report.figures.importance import Share, importance
from lstmlab.report.figures.thin import kept

X = np.arange(1, 6)
STYLES = styles_of(["lstm", "gru"])


def named(figure, name):
    return [trace for trace in figure.data if trace.name == name]


def test_thinned_curves_keep_ends_and_spikes_and_short_ones_everything():
    y = np.zeros(10_000)
    y[5003], y[7001] = 9.0, np.nan
    places = kept(y, 100)
    assert len(places) <= 110
    assert {0, 9_999, 5003, 7001} <= set(places.tolist())
    assert kept(y[:50], 100).tolist() == list(range(50))


def test_marks_are_named_lines_and_few_whole_numbers_have_a_tick_each():
    figure = learning_curves({"lstm": Curve(X, X)}, STYLES)
    add_marks(figure, {"<b>training</b>": 3})
    assert figure.layout.xaxis.dtick == 1
    assert (figure.layout.shapes[0].x0, figure.layout.annotations[0].text) == (3, "&lt;b&gt;training&lt;/b&gt;")
    assert learning_curves({"lstm": Curve(X * 10, X)}, STYLES).layout.xaxis.dtick is None


def test_names_keep_their_style_and_cannot_be_tags():
    many = styles_of(f"cell {i}" for i in range(20))
    assert len(set(many.values())) == 20
    assert many["cell 0"].colour == COLOURS[0]
    figure = learning_curves({"<script>x</script>": Curve(X, X)}, {})
    assert figure.data[0].name == "&lt;script&gt;x&lt;/script&gt;"


def test_a_curve_has_a_line_a_band_and_its_runs_in_one_group():
    runs = {f"seed {i}": (X, X + i) for i in range(3)}
    failed = {"seed 3": (X[:3], np.array([1.0, 2.0, np.nan]))}
    curve = Curve(X, X * 2.0, X * 1.0, X * 3.0, runs, failed)
    figure = learning_curves({"lstm": curve}, STYLES, y_label="mse", baselines={"guess": 4.0})
    (line,) = named(figure, "lstm")
    assert line.line.color == COLOURS[0]
    np.testing.assert_array_equal(line.y, X * 2)
    band = figure.data[0]
    np.testing.assert_array_equal(band.y, [*(X * 3), *(X[::-1])])
    assert {trace.legendgroup for trace in figure.data if trace.name != "guess (4)"} == {"lstm"}
    crosses = [trace for trace in figure.data if trace.mode == "markers"]
    assert [(trace.x.tolist(), trace.y.tolist()) for trace in crosses] == [([2], [2.0])]
    np.testing.assert_array_equal(named(figure, "guess (4)")[0].y, [4.0, 4.0])


def test_many_single_runs_are_left_to_the_band():
    curve = Curve(X, X, X - 1, X + 1, {f"seed {i}": (X, X) for i in range(5)})
    assert len(learning_curves({"lstm": curve}, STYLES, most_single=5).data) == 7
    assert len(learning_curves({"lstm": curve}, STYLES, most_single=4).data) == 2


def test_a_band_that_reaches_zero_has_other_points_on_a_logarithmic_axis():
    curve = Curve(X, X * 1.0, X - 2.0, X + 2.0)
    linear = learning_curves({"lstm": curve}, STYLES).data[0]
    assert min(linear.y) == -1
    logarithmic = learning_curves({"lstm": curve}, STYLES, log_y=True)
    assert logarithmic.layout.yaxis.type == "log"
    np.testing.assert_allclose(logarithmic.data[0].y, linear.meta["log_y"])
    assert min(logarithmic.data[0].y) == 0.5


def test_curves_of_two_lengths_are_refused():
    with pytest.raises(ValueError, match="one length"):
        learning_curves({"lstm": Curve(X, X[:2])}, STYLES)


def test_intervals_have_a_bar_and_rows_without_a_value_say_so():
    rows = {"lstm": Row(0.2, 0.1, 0.4, [0.1, 0.3]), "gru": Row(0.3), "rnn": Row(None)}
    figure = intervals(rows, STYLES, x_label="test mse", baselines={"guess": 0.5})
    (lstm,) = named(figure, "lstm")
    assert (lstm.x, lstm.y) == ((0.2,), (0,))
    assert lstm.error_x.array == pytest.approx([0.2])
    assert lstm.error_x.arrayminus == pytest.approx([0.1])
    assert named(figure, "gru")[0].error_x.array is None
    assert [(note.text, note.y) for note in figure.layout.annotations] == [("no finite value", 2)]
    assert figure.layout.yaxis.ticktext == ("lstm", "gru", "rnn")


def test_bars_of_ranks_overlap_where_the_difference_is_below_the_critical_one():
    figure = ranks({"gru": 2.5, "lstm": 1.0}, 1.2, STYLES)
    assert [trace.name for trace in figure.data] == ["lstm", "gru"]
    right, left = figure.data[0].x[0] + 0.6, figure.data[1].x[0] - 0.6
    assert figure.data[0].error_x.value == pytest.approx(0.6)
    assert right < left


def test_costs_over_more_than_a_decade_are_logarithmic_and_many_points_take_webgl():
    few = time_against_quality({"lstm": [Point(1, 0.1), Point(20, 0.2), Point(3, np.nan)]}, STYLES)
    assert few.layout.xaxis.type == "log"
    assert (few.data[0].type, len(few.data[0].x)) == ("scatter", 2)
    many = time_against_quality({"lstm": [Point(i + 100, 0.1) for i in range(2000)]}, STYLES)
    assert many.data[0].type == "scattergl"


def test_importances_stand_beside_their_noise():
    figure = importance({"rate": Share(0.6, 0.1, 0.2), "size": Share(0.1, 0.0, 0.3)})
    assert figure.data[0].x == (0.6, 0.1)
    assert figure.data[1].x == (0.2, 0.3)
    assert figure.layout.yaxis.ticktext == ("rate", "size")


def test_parallel_coordinates_have_axes_for_numbers_logarithms_choices_and_the_metric():
    columns = {"rate": [1e-4, 1e-2, 1e-1], "size": [8, 16, 32], "cell": ["gru", "lstm", "gru"]}
    figure = parallel_coordinates(columns, [0.1, np.inf, 0.3], metric="mse", log=["rate"])
    rate, size, cell, metric = figure.data[0].dimensions
    np.testing.assert_allclose(rate["values"], [-4, -1])
    assert rate["ticktext"][0] == "0.0001"
    np.testing.assert_array_equal(size["values"], [8, 32])
    assert (cell["ticktext"], tuple(cell["values"])) == (("gru",), (0, 0))
    np.testing.assert_allclose(metric["values"], [0.1, 0.3])
    with pytest.raises(ValueError, match="2 values for 3"):
        parallel_coordinates({"rate": [1, 2]}, [1, 2, 3], metric="mse")


def test_the_dark_theme_has_light_text():
    assert theme(dark=True).layout.font.color > "#C"
    assert theme(dark=False).layout.font.color < "#4"
