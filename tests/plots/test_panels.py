"""Figures of several charts."""

import numpy as np
import pytest

from lstmlab.plots.panels import Line, Panel, panels

CHARTS = [
    Panel(
        "falls",
        "lag",
        "1",
        {"a": Line([0, 1, 2], [1, 0, 0.1]), "b": Line([0, 1], [1, 2], [0.5, 1], [2, 3])},
        log_y=True,
    ),
    Panel("gates", "gate", "1", {"b": Line([0, 1], [0.2, np.nan])}, names=["input", "forget"]),
]


def test_charts_share_the_colours_of_their_lines(figures, tmp_path):
    panels(tmp_path / "a.png", CHARTS, title="both")
    first, second = figures[0].axes[:2]
    assert first.lines[1].get_color() == second.lines[0].get_color() != first.lines[0].get_color()
    assert [text.get_text() for text in figures[0].legends[0].get_texts()] == ["a", "b"]
    assert [text.get_text() for text in second.get_xticklabels()] == ["input", "forget"]


def test_a_zero_is_a_gap_on_a_log_axis(figures, tmp_path):
    panels(tmp_path / "a.png", CHARTS)
    np.testing.assert_array_equal(figures[0].axes[0].lines[0].get_ydata(), [1, np.nan, 0.1])


@pytest.mark.parametrize(("kind", "head"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_the_suffix_says_the_kind_of_file(kind, head, tmp_path):
    panels(tmp_path / f"a.{kind}", CHARTS[:1])
    assert (tmp_path / f"a.{kind}").read_bytes().startswith(head)


def test_places_that_matter_are_marked_by_name_and_whole_numbers_have_whole_ticks(figures, tmp_path):
    chart = Panel("by length", "length", "mse", {"a": Line([2, 3, 4], [1, 2, 3])}, marks={"training": 3})
    panels(tmp_path / "a.png", [chart])
    [axes] = figures[0].axes
    assert list(axes.lines[-1].get_xdata()) == [3, 3]
    assert [text.get_text() for text in axes.texts] == ["training"]
    assert all(tick == int(tick) for tick in axes.get_xticks())


def test_a_figure_needs_a_chart(tmp_path):
    with pytest.raises(ValueError, match="at least one chart"):
        panels(tmp_path / "a.png", [])
