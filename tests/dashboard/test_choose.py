import math
from pathlib import Path

import pytest

from lstmlab.dashboard.choose import WrongFilter, chosen, conditions, grouped, natural, text_of, varied_keys
from lstmlab.dashboard.run import FINISHED, RUNNING, Run


def run(name, state=FINISHED, **config):
    return Run(name, name, Path(name), {key.replace("__", "."): value for key, value in config.items()}, state)


RUNS = [
    run("a", cell__name="lstm", optimizer__learning_rate=0.1, model__layers=1, seed=0, wandb__group="x"),
    run("b", RUNNING, cell__name="gru", optimizer__learning_rate=1e-05, model__layers=2, seed=0, wandb__group="y"),
    run("c10", cell__name="gru", optimizer__learning_rate=math.nan, model__layers=2, seed=1, model__bias=True),
]
KEYS = {key for each in RUNS for key in each.config}


def names(text="", states=(), values=()):
    return [each.name for each in chosen(RUNS, conditions(text, KEYS), states, values)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["a", "b", "c10"]),
        ("cell=gru", ["b", "c10"]),
        ("cell.name=lstm,gru seed=0", ["a", "b"]),
        ("cell!=gru", ["a"]),
        ("learning_rate<0.1", ["b"]),
        ("learning_rate<=1e-1", ["a", "b"]),
        ("layers>=2 seed>0", ["c10"]),
        ("learning_rate=1e-05", ["b"]),
        ("bias=true", ["c10"]),
        ("state=running", ["b"]),
        ("state!=running c", ["c10"]),
        ("C10", ["c10"]),
        ("'cell=gru'", ["b", "c10"]),
    ],
)
def test_filter_by_text(text, found):
    assert names(text) == found


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("layer=2", "no run has the key 'layer'"),
        ("layers<two", "layers< needs a number, not 'two'"),
        ("cell='gru", "a quotation mark is not closed"),
    ],
)
def test_wrong_filters_say_what_is_wrong(text, says):
    with pytest.raises(WrongFilter, match=says):
        conditions(text, KEYS)


def test_short_keys_that_may_be_several_are_named():
    with pytest.raises(WrongFilter, match=r"'layer' may be dropout\.layer or model\.layer"):
        conditions("layer=1", ["dropout.layer", "model.layer"])


def test_values_of_one_key_are_alternatives_and_keys_add_up():
    assert names(values=["cell.name=lstm", "cell.name=gru", "seed=0"]) == ["a", "b"]
    assert names(states=[RUNNING]) == ["b"]
    assert names("cell=lstm", states=[RUNNING]) == []


def test_keys_in_which_runs_differ_have_the_cell_first_and_the_seed_last():
    assert varied_keys(RUNS) == ["cell.name", "model.layers", "optimizer.learning_rate", "seed"]
    assert varied_keys(RUNS[:1]) == []


def test_groups_are_named_by_their_values_in_natural_order():
    assert {name: len(own) for name, own in grouped(RUNS, ["cell.name"]).items()} == {"gru": 2, "lstm": 1}
    assert list(grouped(RUNS, ["cell.name", "model.layers"])) == ["gru · layers=2", "lstm · layers=1"]
    assert list(grouped(RUNS, [])) == ["all runs"]
    assert sorted(["run10", "run9", "10", "x"], key=natural) == ["10", "run9", "run10", "x"]


def test_values_are_written_as_on_the_command_line():
    values = {"true": True, "null": None, "0.001": 0.001, "1e-05": 1e-05, "3": 3, "x": "x"}
    assert [text_of(value) for value in values.values()] == list(values)
