"""Ranges of a search: what is drawn, and what of it becomes an override."""

import numpy as np
import optuna
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from lstmlab.config import ConfigError
from lstmlab.launch.search_space import combinations, dimension
from lstmlab.launch.search_suggest import Suggestions


def read(text):
    return dimension(OverridesParser.create().parse_override(f"key={text}"))


def draws(text, count=400):
    dim = read(text)
    suggestions = Suggestions({"key": dim}, "random", 0)
    return [dim.text(suggestions.ask(number)["key"]) for number in range(count)]


def assert_uniform(values, low, high):
    """Every tenth of the range has its share, within five standard deviations."""
    values = np.asarray(values)
    assert values.min() >= low
    assert values.max() <= high
    share = np.histogram(values, bins=10, range=(low, high))[0] / len(values)
    assert np.abs(share - 0.1).max() < 5 * np.sqrt(0.1 * 0.9 / len(values))


def test_an_interval_is_drawn_evenly():
    assert_uniform(np.array(draws("interval(-2,3)"), float), -2, 3)


def test_log_is_even_on_the_logarithmic_scale():
    assert_uniform(np.log10(np.array(draws("tag(log,interval(1e-6,1e-2))"), float)), -6, -2)


def test_one_minus_is_the_mirror_of_log():
    momentum = np.array(draws("tag(log,one_minus,interval(0.01,1))"), float)
    assert momentum.min() >= 0
    assert momentum.max() <= 0.99
    assert_uniform(np.log10(1 - momentum), -2, 0)


@pytest.mark.parametrize("text", ["int(interval(2,5))", "tag(log,int(interval(2,5)))", "int(tag(log,interval(2,5)))"])
def test_int_draws_whole_numbers_with_both_ends(text):
    assert set(draws(text)) == {"2", "3", "4", "5"}


def test_a_range_is_what_hydra_says_it_is():
    assert set(draws("range(16,64,16)")) == {"16", "32", "48"}
    assert set(draws("range(0.25,1,0.25)")) == {"0.25", "0.5", "0.75"}


def test_a_choice_is_any_of_its_values():
    assert set(draws("adam,null,'a b'")) == {"adam", "null", "'a b'"}


def test_values_have_six_digits_and_stay_inside():
    assert all(len(value.lstrip("0.")) <= 6 for value in draws("interval(0.1,0.9)"))
    narrow = read("interval(0.12345678,0.12345679)")
    assert 0.12345678 <= float(narrow.text(0.123456785)) <= 0.12345679


def test_an_order_is_known_to_the_sampler_and_a_choice_has_none():
    assert isinstance(read("range(1,4)").distribution(), optuna.distributions.IntDistribution)
    assert isinstance(read("choice(1,2,3)").distribution(), optuna.distributions.CategoricalDistribution)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("tag(log,int(interval(20,200)))", ["20", "28", "39", "54", "75", "104", "144", "200"]),
        ("int(interval(1,3))", ["1", "2", "3"]),
        ("tag(one_minus,interval(0,0.7))", ["1.0", "0.9", "0.8", "0.7", "0.6", "0.5", "0.4", "0.3"]),
    ],
)
def test_an_interval_can_be_cut_to_few_values_on_its_own_scale(text, values):
    levels = read(text).cut(8)
    assert levels.ordered
    assert list(levels.values) == values


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("interval(1,1)", "the second end must be larger"),
        ("interval(0,inf)", "the second end must be larger"),
        ("tag(log,interval(0,1))", "the tag 'log' needs ends above 0"),
        ("tag(lg,interval(1,2))", r"unknown tag 'lg' \(known: log, one_minus\)"),
        ("tag(one_minus,int(interval(1,2)))", "needs an interval without int"),
        ("tag(log,choice(1,2))", "the tag 'log' needs an interval"),
        ("range(3,1)", "holds no value"),
    ],
)
def test_a_range_that_cannot_be_is_named(text, told):
    with pytest.raises(ConfigError, match=f"^'key=.*{told}"):
        read(text)


def test_combinations_are_all_choices_and_one_where_there_is_none():
    found = combinations({"cell": ["lstm", "gru"], "task.length": ["5"]})
    assert found == [{"cell": "lstm", "task.length": "5"}, {"cell": "gru", "task.length": "5"}]
    assert combinations({}) == [{}]
