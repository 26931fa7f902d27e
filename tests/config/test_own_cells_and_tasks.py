"""What a script registers can be chosen at once, without a file in ``conf/``."""

import dataclasses

import pytest

from lstmlab.cells import Cell, HState, register_cell
from lstmlab.cells.registry import CELLS
from lstmlab.config import ConfigError, compose, to_config, to_tree
from lstmlab.config.describe import describe
from lstmlab.settings import setting
from lstmlab.tasks import register_task
from lstmlab.tasks.memory.adding import Adding
from lstmlab.tasks.registry import TASKS


@pytest.fixture
def own(monkeypatch):
    """A cell and a task that live as long as the test."""
    monkeypatch.setattr(CELLS, "entries", dict(CELLS.entries))
    monkeypatch.setattr(TASKS, "entries", dict(TASKS.entries))

    @register_cell("leaky", title="leaky integrator", paper="none")
    class Leaky(Cell):
        gates = ("candidate",)
        leak: float = setting(0.5, "share of the old state that stays", minimum=0.0)

        def update(self, state, z, r):
            h = self.leak * state.h + (1 - self.leak) * (z + r)
            return HState(h), {"candidate": z + r}

    @register_task("adding_late", title="adding", data="generated", paper="none")
    @dataclasses.dataclass(frozen=True)
    class AddingLate(Adding):
        delay: int = setting(3, "steps after the second mark", minimum=0)

        defaults = (*Adding.defaults, "training.steps=70", "model.bidirectional=true")


def test_a_cell_can_be_composed_with_its_options(own):
    config = compose(["cell=leaky", "cell.leak=0.25", "task=adding"])
    assert config.cell.name == "leaky"
    assert config.cell.options["leak"] == 0.25
    assert config.cell.options["map"] == "dense"
    assert to_config(to_tree(config)) == config


def test_a_task_can_be_composed_with_its_options_and_with_those_it_inherits(own):
    config = compose(["task=adding_late", "task.delay=5", "task.length=20", "training.steps=9"])
    assert (config.task.name, config.task.delay, config.task.length) == ("adding_late", 5, 20)
    assert config.training.steps == 9
    assert to_config(to_tree(config)) == config


def test_a_task_brings_defaults_for_the_rest_of_the_configuration(own):
    config = compose(["task=adding_late"])
    assert (config.training.steps, config.training.batch_size, config.model.bidirectional) == (70, 64, True)
    assert compose(["task=adding_late", "model.bidirectional=false"]).model.bidirectional is False


def test_a_default_for_an_unknown_key_is_refused_with_the_known_ones(own):
    @register_task("adding_wrong", title="adding", data="generated", paper="none")
    class AddingWrong(Adding):
        defaults = ("training.stepz=70",)

    with pytest.raises(ConfigError, match=r"unknown key 'training\.stepz'; did you mean 'steps'"):
        compose(["task=adding_wrong"])


def test_their_keys_are_explained_and_checked_like_all_others(own):
    rows = {row[0]: row[1:] for row in describe(compose(["cell=leaky", "task=adding_late"]))}
    assert rows["cell.leak"] == ["0.5", "share of the old state that stays", "≥ 0", ""]
    assert rows["task.delay"] == ["3", "steps after the second mark", "≥ 0", ""]
    with pytest.raises(ConfigError, match=r"cell\.leak is -1.0, but must be at least 0"):
        compose(["cell=leaky", "cell.leak=-1"])
    with pytest.raises(ConfigError, match=r"task\.delay is -1, but must be at least 0"):
        compose(["task=adding_late", "task.delay=-1"])
    with pytest.raises(ConfigError, match=r"unknown key 'cell\.leek'; did you mean 'leak'"):
        compose(["cell=leaky", "cell.leek=1"])


def test_they_are_among_the_known_names(own):
    with pytest.raises(ConfigError, match=r"did you mean 'leaky'\?"):
        compose(["cell=leeky"])


def test_before_they_are_registered_they_are_unknown():
    with pytest.raises(ConfigError, match="unknown cell 'leaky'"):
        to_config({"cell": "leaky", "task": "adding"})
