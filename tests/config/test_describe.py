"""Every key is explained."""

import dataclasses

import pytest

from lstmlab.cells import cell_entry, cell_names
from lstmlab.config import Config, compose, to_tree
from lstmlab.config.describe import describe
from lstmlab.config.schema import SECTIONS
from lstmlab.settings import settings_of
from lstmlab.tasks import task_entry, task_names

FIELDS = [(f"{section}.{f.name}", f) for section, cls in SECTIONS.items() for f in dataclasses.fields(cls)]
FIELDS += [(f.name, f) for f in dataclasses.fields(Config) if f.name not in {"cell", "task", *SECTIONS}]
FIELDS += [
    (f"{name}: task.{f.name}", f)
    for name in task_names()
    for f in dataclasses.fields(task_entry(name).cls)
    if f.name in settings_of(task_entry(name).cls)
]


@pytest.mark.parametrize(("key", "field"), FIELDS, ids=[key for key, _ in FIELDS])
def test_every_key_has_a_help_text_and_a_default_that_it_allows(key, field):
    rules = field.metadata
    assert len(rules["help"]) > 3, key
    assert field.default is not dataclasses.MISSING
    if rules.get("choices"):
        assert field.default in rules["choices"]
    if rules.get("minimum") is not None:
        assert field.default >= rules["minimum"]


@pytest.mark.parametrize("name", cell_names())
def test_every_option_of_a_cell_has_a_help_text_and_a_default_that_it_allows(name):
    for key, option in settings_of(cell_entry(name).cls).items():
        assert len(option.help) > 3, key
        assert option.check(key, option.default) == option.default


@pytest.mark.parametrize("task", sorted(task_names()))
def test_the_description_has_one_row_for_every_key_of_the_configuration(task):
    config = compose([f"task={task}"])
    rows = {row[0]: row for row in describe(config)}
    keys = set()
    for section, value in to_tree(config).items():
        inside = [f"{section}.{k}" for k in value] if isinstance(value, dict) else [section]
        keys |= set(inside) - {"cell.name", "task.name"}
    assert rows.keys() == keys
    assert all(row[2] for row in rows.values())


def test_a_row_gives_the_value_the_range_and_whether_the_key_is_traced():
    rows = {row[0]: row[1:] for row in describe(compose(["optimizer.learning_rate=0.5", "task=adding"]))}
    assert rows["optimizer.learning_rate"] == ["0.5", "peak learning rate", "≥ 0", "traced"]
    assert rows["model.dtype"][2:] == ["float32 | bfloat16", ""]
    assert rows["dropout.input"][2] == "0 … 1"
    assert rows["seed"][2] == "0 … 4294967295"
    assert rows["task.length"][0] == "100"
