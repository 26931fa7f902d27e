"""The colour of a cell is one everywhere, and names that share one are told apart."""

import subprocess
import sys

import pytest

from lstmlab.cells import cell_names
from lstmlab.plots.cell_styles import MOST_COLOURED, colour_of, looks, of_labels
from lstmlab.plots.comparison import Estimates, draw_validation
from lstmlab.plots.style import COLOURS, FAINT

MOST_COMPARED = ("rnn", "lstm", "gru", "peephole_lstm", "cifg_lstm", "min_gru", "lru")


def test_the_cells_that_are_compared_most_have_colours_of_their_own():
    assert {colour_of(cell) for cell in MOST_COMPARED} == set(COLOURS)
    assert len({colour_of(cell) for cell in ("conv_lstm", "lstm", "gru")}) == 3


def test_the_colour_depends_on_the_name_alone():
    both, alone = looks({"lstm": "lstm", "gru": "gru"}), looks({"gru": "gru"})
    assert both["gru"] == alone["gru"]
    script = "from lstmlab.plots.cell_styles import colour_of; print(colour_of('a cell of a user'))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == colour_of("a cell of a user")  # another process, with other hashes of texts


def test_no_two_names_of_a_figure_look_the_same_whatever_their_order():
    names = [*cell_names(), "gru model.hidden_size=64"]
    found, other = looks(of_labels(names)), looks(of_labels(names[::-1]))
    assert len(set(found.values())) == len(names)
    assert found == other
    assert list(other) == names[::-1]
    assert found["gru model.hidden_size=64"].colour == found["gru"].colour


def test_settings_of_one_cell_differ_in_colour():
    names = ["rnn", *(f"lstm forget_bias={bias}" for bias in (0, 1, 3))]
    found = looks(of_labels(names))
    assert len({look.colour for look in found.values()}) == 4
    assert {look.repeat for look in found.values()} == {0}
    assert found["rnn"].colour == colour_of("rnn")
    assert found["lstm forget_bias=0"].colour == colour_of("lstm")


def test_a_figure_of_many_cells_has_the_best_in_colour_and_the_rest_in_grey(tmp_path, figures):
    lines = {name: Estimates([1, 2], [2, 1], [2, 1], [2, 1]) for name in cell_names()[: MOST_COLOURED + 2]}
    draw_validation(tmp_path / "v.png", "adding", "mse", "min", lines, {}, "mean of 5 seeds")
    drawn = [line.get_color() for line in figures[0].axes[0].lines]
    assert drawn == [*(colour_of(name) for name in list(lines)[:MOST_COLOURED]), FAINT, FAINT]
    assert figures[0].axes[0].get_ylabel() == "validation mse (lower is better)"


@pytest.mark.parametrize(
    ("ys", "goal", "scale"),
    [([1, 1e-4], "min", "log"), ([1, 0.5], "min", "linear"), ([1e-4, 1], "max", "linear"), ([1, 0], "min", "linear")],
)
def test_a_loss_that_falls_by_decades_has_a_logarithmic_axis(ys, goal, scale, tmp_path, figures):
    lines = {"lstm": Estimates([1, 2], ys, [y - 1 for y in ys], [y + 1 for y in ys])}
    draw_validation(tmp_path / "v.png", "adding", "mse", goal, lines, {}, "mean of 5 seeds")
    axes = figures[0].axes[0]
    assert axes.get_yscale() == scale
    if scale == "log":
        assert axes.get_ylim()[0] > 1e-5  # bands that reach zero do not stretch the axis
    assert all(tick == int(tick) for tick in axes.get_xticks())
