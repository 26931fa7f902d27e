"""Mistakes are answered in one line that names what is known."""

import re

import jax
import pytest
from battery import FEATURES, HIDDEN, each_form
from refusals import refused

from lstmlab.cells import Cell, Init, cell_entry, cell_names, make_cell, register_cell
from lstmlab.cells.initialise import KERNELS
from lstmlab.settings import settings_of


def make(name="lstm", hidden=HIDDEN, **settings):
    return lambda: make_cell(name, FEATURES, hidden, key=jax.random.key(0), **settings)


def test_an_unknown_cell_names_the_known_ones_and_the_closest():
    refused(make("lstn"), "unknown cell 'lstn'", "did you mean 'lstm'?", *cell_names())


def test_a_name_like_none_gets_no_suggestion():
    with pytest.raises(ValueError, match=re.compile("^((?!did you mean).)*$")):
        cell_entry("transformer")


@each_form
def test_an_unknown_option_names_those_of_the_cell(case):
    refused(lambda: case.build(bia=True), case.name, "'bia'", "'bias'", *settings_of(type(case.build())))


@each_form
def test_a_value_outside_an_options_choices_names_them(case):
    for name, option in settings_of(type(case.build())).items():
        if option.choices:
            given = {k: v for k, v in case.options if k != name} | {name: "nonsense"}
            refused(make(case.name, spatial=case.spatial, **given), name, *map(str, option.choices))


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [("bias", 1, "bool"), ("heads", 2.0, "int"), ("heads", True, "int"), ("map", 3, "str")],
)
def test_a_value_of_another_type_names_the_type(name, value, kind):
    refused(make(**{name: value}), name, repr(value), kind)


@pytest.mark.parametrize("name", ["heads", "kernel_size"])
def test_a_value_below_the_minimum_names_it(name):
    refused(make(**{name: 0}), name, "at least 1")


@pytest.mark.parametrize("settings", [{"map": "conv"}, {"spatial": (4,)}], ids=["map", "spatial"])
def test_convolutions_and_spatial_inputs_go_together(settings):
    refused(make(**settings), "map=conv", "spatial")


def test_at_most_two_spatial_axes():
    refused(make("conv_lstm", spatial=(2, 2, 2)), "one or two spatial axes", "(2, 2, 2)")


def test_heads_that_do_not_divide_the_hidden_size():
    refused(make(map="block_diagonal", heads=3), "heads", "3", str(HIDDEN))


@pytest.mark.parametrize("where", ["input", "recurrent"])
def test_an_unknown_initialiser_names_the_known_ones(where):
    refused(lambda: Init(**{where: "xavier"}), f"init.{where}", "'xavier'", *KERNELS)


@pytest.mark.parametrize("horizon", [-5, 1, 2])
def test_a_chrono_horizon_without_range(horizon):
    refused(lambda: Init(chrono_horizon=horizon), str(horizon), "at least 3")


def test_a_taken_name_is_refused_and_the_first_cell_stays():
    before = cell_entry("lstm")

    class Impostor(Cell):
        gates = ("candidate",)

    refused(lambda: register_cell("lstm", title="", paper="")(Impostor), "'lstm'", "LSTM")
    assert cell_entry("lstm") is before


def test_the_catalogue_says_what_every_cell_is():
    for name in cell_names():
        entry = cell_entry(name)
        assert entry.name == entry.cls.name == name
        assert entry.title and re.search(r"\d{4}", entry.paper), name
        assert entry.cls.__doc__ and ".. math::" in entry.cls.__doc__, name
        assert all(option.help for option in settings_of(entry.cls).values()), name
