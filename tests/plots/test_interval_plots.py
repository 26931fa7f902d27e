"""Dots with intervals, bars and small scatters: what is drawn is what was given."""

import numpy as np
import pytest

from lstmlab.plots.cell_styles import colour_of
from lstmlab.plots.importance import bars, scatters
from lstmlab.plots.intervals import intervals


def test_a_dot_stands_on_its_interval_in_the_order_given(tmp_path, figures):
    rows = {"lstm": (0.2, 0.1, 0.4), "gru": (0.3, None, None), "rnn": (None, None, None)}
    intervals(tmp_path / "i.png", rows, x_label="mse", title="Adding", baselines={"guess": 0.5})
    [axes] = figures[0].axes
    bar, dot, single, baseline = axes.lines
    assert bar.get_xydata().tolist() == [[0.1, 0], [0.4, 0]]
    assert dot.get_xydata().tolist() == [[0.2, 0]]
    assert single.get_xydata().tolist() == [[0.3, 1]]
    assert baseline.get_xdata() == [0.5, 0.5]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["lstm", "gru", "rnn"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the first on top
    assert {text.get_text() for text in axes.texts} == {"guess", "no finite value"}
    assert (tmp_path / "i.png").read_bytes().startswith(b"\x89PNG")


def test_bars_have_the_lengths_given_with_their_spread(tmp_path, figures):
    bars(tmp_path / "b.png", {"rate": (0.7, 0.05), "size": (0.1, 0.0)})
    [axes] = figures[0].axes
    assert [bar.get_width() for bar in axes.patches] == [0.7, 0.1]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["rate", "size"]


def test_every_column_has_its_scatter_on_its_scale(tmp_path, figures):
    columns = {"rate": [0.1, 0.001], "cell": ["lstm", "gru"], "size": [8, 16], "both": [True, False]}
    scatters(tmp_path / "s.png", columns, [1.0, 2.0], log=["rate"], y_label="mse")
    rate, cell, size, both, *unused = figures[0].axes
    assert (rate.get_xscale(), size.get_xscale()) == ("log", "linear")
    np.testing.assert_array_equal(rate.lines[0].get_xydata(), [[0.1, 1.0], [0.001, 2.0]])
    np.testing.assert_array_equal(cell.lines[0].get_xydata(), [[1, 1.0], [0, 2.0]])
    assert [label.get_text() for label in both.get_xticklabels()] == ["False", "True"]
    assert not any(axes.get_visible() for axes in unused)
    scatters(tmp_path / "s.png", columns, [1.0, 2.0], cells=columns["cell"])
    assert [line.get_color() for line in figures[1].axes[0].lines] == [colour_of("lstm"), colour_of("gru")]
    with pytest.raises(ValueError, match="'rate' has 1 values for 2"):
        scatters(tmp_path / "s.png", {"rate": [1]}, [1.0, 2.0])
