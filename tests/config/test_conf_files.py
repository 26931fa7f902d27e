"""The files in ``conf/``: every one composes, and cells and tasks have one each."""

import pytest
import yaml

from lstmlab.cells import cell_entry, cell_names
from lstmlab.config import Config, compose, conf_dir
from lstmlab.config.schema import SECTIONS
from lstmlab.launch.engines import ENGINES, EngineOptions
from lstmlab.launch.search_plan import Settings
from lstmlab.tasks import task_entry, task_names

FILES = sorted(conf_dir().rglob("*.yaml"))
# By group: ``hydra/launcher=population``, ``cell=lstm``.
CHOICES = [
    f"{path.relative_to(conf_dir()).parent.as_posix()}={path.stem}" for path in FILES if path.parent != conf_dir()
]


def own(names, entry):
    """Those that the package registers; another test's cells do not count."""
    return {name for name in names() if entry(name).cls.__module__.startswith("lstmlab.")}


def files(group):
    return {path.stem for path in (conf_dir() / group).glob("*.yaml")}


def test_without_overrides_there_is_a_run():
    config = compose()
    assert (config.cell.name, config.task.name) == ("lstm", "char_lm")


@pytest.mark.parametrize("choice", CHOICES)
def test_every_file_composes(choice):
    assert isinstance(compose([choice]), Config)


@pytest.mark.parametrize("group", ["cell", "task", "optimizer", "schedule"])
def test_a_file_chooses_what_its_name_says(group):
    for name in files(group):
        assert getattr(compose([f"{group}={name}"]), group).name == name


def test_every_registered_cell_and_task_has_a_file_and_every_file_its_cell_or_task():
    assert files("cell") == own(cell_names, cell_entry)
    assert files("task") == own(task_names, task_entry)


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
    if group == "cell":
        known = {"name", "defaults", *cell_entry(path.stem).cls.options}
    if group == "sweeper":
        known = {"_target_", *Settings.__dataclass_fields__}
    if group == "launcher":
        known = {"_target_", *ENGINES, *EngineOptions._fields}
    assert set(content) <= known


@pytest.mark.parametrize("task", sorted(own(task_names, task_entry)))
def test_the_settings_of_a_task_are_the_same_for_every_cell(task):
    place = sorted(own(task_names, task_entry)).index(task)
    # Every cell with one task, and two with all: a file knows nothing of the other group's.
    cells = ["lstm", "conv_lstm", *sorted(own(cell_names, cell_entry))[place :: len(task_names())]]
    trees = [compose([f"task={task}", f"cell={cell}"]) for cell in cells]
    for tree in trees[1:]:
        assert (tree.task, tree.model, tree.training) == (trees[0].task, trees[0].model, trees[0].training)


def test_overrides_win_over_what_a_task_or_an_experiment_sets():
    tuned = compose(["experiment=demo", "training.steps=7", "model.hidden_size=9"])
    assert (tuned.training.steps, tuned.model.hidden_size) == (7, 9)
    assert compose(["training.steps=7", "task=adding"]).training.steps == 7


def test_files_of_ones_own_are_found_in_a_further_folder(tmp_path):
    (tmp_path / "experiment").mkdir()
    mine = "# @package _global_\nmodel:\n  layers: 3\n"
    (tmp_path / "experiment" / "deep.yaml").write_text(mine, encoding="utf-8")
    assert compose(["experiment=deep"], config_dir=tmp_path).model.layers == 3
