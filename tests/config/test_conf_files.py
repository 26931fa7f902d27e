"""Every choice of every group composes: the files in ``conf/``, and the registered cells and tasks, which need none."""

import dataclasses
import functools

import pytest
import yaml
from omegaconf import OmegaConf
from small_runs import command

from lstmlab.cells import cell_entry, cell_names
from lstmlab.config import Config, compose, compose_tree, conf_dir, to_tree
from lstmlab.config.schema import SECTIONS
from lstmlab.launch.engine_settings import EngineSettings
from lstmlab.launch.engines import ENGINES
from lstmlab.launch.search_plan import SearchSettings
from lstmlab.settings import settings_of
from lstmlab.tasks import task_entry, task_names

FILES = sorted(conf_dir().rglob("*.yaml"))


def own(names, entry):
    """Those that the package registers; another test's cells do not count."""
    return {name for name in names() if entry(name).cls.__module__.startswith("lstmlab.")}


CELLS, TASKS = sorted(own(cell_names, cell_entry)), sorted(own(task_names, task_entry))


@functools.cache
def composed(*overrides):
    """The same configuration for all tests that only look at it."""
    return compose(overrides)


@functools.cache
def composed_tree(*overrides):
    """The same before types are checked."""
    return compose_tree(overrides)


# By group: ``hydra/launcher=population``, ``cell=lstm``.
CHOICES = [
    *(f"{path.relative_to(conf_dir()).parent.as_posix()}={path.stem}" for path in FILES if path.parent != conf_dir()),
    *(f"cell={name}" for name in CELLS),
    *(f"task={name}" for name in TASKS),
]


def files(group):
    return {path.stem for path in (conf_dir() / group).glob("*.yaml")}


def test_without_overrides_there_is_a_run():
    config = compose()
    assert (config.cell.name, config.task.name) == ("lstm", "char_lm")


@pytest.mark.parametrize("choice", CHOICES)
def test_every_choice_composes(choice):
    assert isinstance(composed(choice), Config)


@pytest.mark.parametrize("group", ["cell", "task", "optimizer", "schedule"])
def test_a_choice_is_what_its_name_says(group):
    for name in {"cell": CELLS, "task": TASKS}.get(group) or files(group):
        assert getattr(composed(f"{group}={name}"), group).name == name


def test_cells_and_tasks_have_no_files():
    assert len(CELLS) == 40
    assert len(TASKS) == 26
    assert not files("cell")
    assert not files("task")


@pytest.mark.parametrize(("group", "names"), [("cell", CELLS), ("task", TASKS)])
def test_the_shell_completes_every_registered_name(group, names, monkeypatch):
    line = f"lstmlab {group}="
    monkeypatch.setenv("COMP_LINE", line)
    monkeypatch.setenv("COMP_POINT", str(len(line)))
    shown = command("-sc", "query=bash")
    assert (shown.code, shown.err) == (0, "")
    assert {f"{group}={name}" for name in names} <= set(shown.out.split())


@pytest.mark.parametrize(("group", "names"), [("cell", CELLS), ("task", TASKS)])
def test_an_unknown_name_is_refused_with_every_registered_one(group, names):
    refused = command(f"{group}={names[0]}x")
    assert refused.code == 1
    begin = f"lstmlab: unknown {group} '{names[0]}x'; did you mean '{names[0]}'? (known: "
    assert refused.err.startswith(begin)
    assert set(names) <= set(refused.err.removeprefix(begin).rstrip(")\n").split(", "))


def test_hydra_shows_where_a_configuration_comes_from():
    shown = command("--info", "defaults", "cell=gru", "task=adding")
    assert (shown.code, shown.err) == (0, "")
    for choice in ("cell/gru", "task/adding", "optimizer/adam"):
        assert choice in shown.out


@pytest.mark.parametrize(("group", "section"), [("optimizer", "optimizer"), ("schedule", "schedule")])
def test_every_optimizer_and_schedule_that_the_schema_allows_has_a_file(group, section):
    names = SECTIONS[section].__dataclass_fields__["name"].metadata["choices"]
    assert files(group) == set(names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_file_says_what_it_is_for_and_changes_only_known_keys(path):
    text = path.read_text(encoding="utf-8")
    assert any(line.startswith("# ") and not line.startswith("# @") for line in text.splitlines()[:2])
    content = yaml.safe_load(text)
    known = set(Config.__dataclass_fields__) | {"defaults", "hydra"}
    group = path.parent.name
    if "@package _global_" not in text and group in SECTIONS:
        known = set(SECTIONS[group].__dataclass_fields__) | {"defaults"}
    if group == "sweeper":
        known = {"_target_", *SearchSettings.__dataclass_fields__}
    if group == "launcher":
        known = {"_target_", *ENGINES, *EngineSettings._fields}
    assert set(content) <= known


@pytest.mark.parametrize("cell", CELLS)
def test_a_cell_brings_its_own_settings_and_changes_nothing_else(cell):
    trees = [OmegaConf.to_container(composed_tree(f"cell={name}", "task=adding")) for name in (cell, "lstm")]
    settings = settings_of(cell_entry(cell).cls)
    assert trees[0].pop("cell") == {"name": cell, **{key: setting.default for key, setting in settings.items()}}
    assert trees[1].pop("cell")["name"] == "lstm"
    assert trees[0] == trees[1]


def resolved(section, cell):
    """With the block that ``auto`` means for the cell."""
    block = {"block": cell_entry(cell).cls.default_block} if section.get("block") == "auto" else {}
    return section | block


@pytest.mark.parametrize("task", TASKS)
def test_the_defaults_of_a_task_take_effect_and_nothing_else_changes(task):
    entry = task_entry(task)
    tree, plain = to_tree(composed(f"task={task}")), to_tree(composed("task=adding"))
    changed = OmegaConf.to_container(OmegaConf.from_dotlist(list(entry.cls.defaults)))
    assert changed.keys() <= {"model", "dropout", "training"}
    for section in SECTIONS:
        usual = {key: setting.default for key, setting in settings_of(SECTIONS[section]).items()}
        expected = usual | changed.get(section, {}) if section in ("model", "dropout", "training") else plain[section]
        assert tree[section] == resolved(expected, "lstm")
    settings = {name: setting.default for name, setting in settings_of(entry.cls).items()}
    values = {name: list(value) if isinstance(value, tuple) else value for name, value in settings.items()}
    assert tree["task"] == {"name": task, **values}


@pytest.mark.parametrize("task", TASKS)
def test_the_settings_of_a_task_are_the_same_for_every_cell(task):
    place = TASKS.index(task)
    # Every cell with one task, and two with all: a cell knows nothing of the tasks.
    cells = ["lstm", "conv_lstm", *CELLS[place :: len(TASKS)]]
    # The cell of a configuration is the LSTM unless it says otherwise.
    trees = [composed(f"task={task}"), *(compose([f"task={task}", f"cell={cell}"]) for cell in cells[1:])]
    assert trees[0].cell.name == "lstm"
    for tree, cell in zip(trees[1:], cells[1:], strict=True):
        assert (tree.task, tree.training) == (trees[0].task, trees[0].training)
        # The block is the one that the cell needs.
        model = dataclasses.replace(trees[0].model, block=cell_entry(cell).cls.default_block)
        assert tree.model == model


def test_overrides_win_over_what_a_task_or_an_experiment_sets():
    tuned = compose(["experiment=demo", "training.steps=7", "model.hidden_size=9"])
    assert (tuned.training.steps, tuned.model.hidden_size) == (7, 9)
    assert compose(["training.steps=7", "task=adding"]).training.steps == 7


def test_files_of_ones_own_are_found_in_a_further_folder(tmp_path):
    (tmp_path / "experiment").mkdir()
    mine = "# @package _global_\nmodel:\n  layers: 3\n"
    (tmp_path / "experiment" / "deep.yaml").write_text(mine, encoding="utf-8")
    assert compose(["experiment=deep"], config_dir=tmp_path).model.layers == 3


@pytest.mark.filterwarnings("error")
def test_a_file_of_ones_own_takes_the_place_of_a_registered_cell_or_task(tmp_path):
    for group in ("cell", "task"):
        (tmp_path / group).mkdir()
    cell = "defaults:\n  - /schema/cell/gru@_here_\n  - _self_\nname: gru\nreset: before\n"
    (tmp_path / "cell" / "gru.yaml").write_text(cell, encoding="utf-8")
    task = "# @package _global_\ndefaults:\n  - /schema/task/adding@task\n  - _self_\ntraining:\n  steps: 9\n"
    (tmp_path / "task" / "adding.yaml").write_text(task, encoding="utf-8")
    chosen = ["cell=gru", "task=adding"]
    compose(chosen)  # the registered choices are known to Hydra now
    mine = compose(chosen, config_dir=tmp_path)
    assert mine.cell.options == compose(["cell=gru"]).cell.options | {"reset": "before"}
    assert (mine.training.steps, mine.training.batch_size) == (9, 32)
    assert compose(chosen).cell.options["reset"] == "after"
    assert compose(chosen).training.steps == 3000
