"""Configurations survive being written and read."""

import dataclasses
from pathlib import Path

import pytest
from omegaconf import OmegaConf
from small_runs import command, overrides

from lstmlab.cells import cell_names
from lstmlab.config import ConfigError, compose, read_config, save_config, to_config, to_tree
from lstmlab.tasks import task_names

SETTINGS = [
    [],
    ["experiment=demo", "seed=4294967295", "resume=true"],
    ["task=moving_mnist", "cell=conv_lstm", "cell.peepholes=false", "cell.kernel_size=5"],
    ["task=adding", "name='a run: 1'", "wandb.tags=[a,b]", "wandb.entity=me", "data.dir=/somewhere"],
    ["optimizer=rmsprop", "optimizer.learning_rate=1e-5", "dropout.zoneout=0.1", "init.forget_bias=-2"],
]


@pytest.mark.parametrize("overrides", SETTINGS, ids=" ".join)
def test_what_is_written_is_what_is_read(overrides, tmp_path):
    config = compose(overrides)
    assert to_config(to_tree(config)) == config
    save_config(to_tree(config), tmp_path / "config.yaml")
    assert read_config(tmp_path / "config.yaml") == config


@pytest.mark.parametrize("cell", cell_names())
def test_every_cell_with_every_task_round_trips(cell):
    for task in task_names():
        config = to_config({"cell": cell, "task": task})
        assert to_config(to_tree(config)) == config, task
        assert (config.cell.name, config.task.name) == (cell, task)


def test_a_tree_holds_plain_values_only():
    def plain(value):
        if isinstance(value, dict):
            return all(isinstance(k, str) and plain(v) for k, v in value.items())
        if isinstance(value, list):
            return all(map(plain, value))
        return value is None or type(value) in (str, int, float, bool)

    assert plain(to_tree(compose(["wandb.tags=[a]"])))


def test_types_are_those_of_the_schema():
    config = compose(["training.steps=1e3", "optimizer.learning_rate=1", "wandb.tags=[a,b]", "init.forget_bias=2"])
    assert config.training.steps == 1000
    assert type(config.training.steps) is int
    assert type(config.optimizer.learning_rate) is float
    assert type(config.init.forget_bias) is float
    assert config.wandb.tags == ("a", "b")


def test_missing_sections_take_their_defaults():
    config = to_config({"cell": "gru", "task": {"name": "adding", "length": 7}})
    assert config.task.length == 7
    assert config.model == type(config.model)(block="plain")  # what auto means for this cell
    assert config.cell.options["reset"] == "after"


def test_relative_paths_mean_the_directory_in_which_the_program_was_started(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = compose(["task=forecast", "data.file=data/my.csv", "data.target=a", "data.dir='~/there'"])
    assert config.data.file == config.task.data_file == str(tmp_path / "data" / "my.csv")
    assert config.data.dir == str(Path("~/there").expanduser())
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert to_config(to_tree(config)) == config


def test_a_file_is_found_from_a_job_that_hydra_moves(tmp_path, monkeypatch):
    rows = [f"{2000 + k // 12}-{k % 12 + 1:02d},{k % 7}" for k in range(90)]
    (tmp_path / "my.csv").write_text("\n".join(["day,load", *rows]) + "\n")
    monkeypatch.chdir(tmp_path)
    made = command(*overrides("forecast"), "data.file=my.csv", "data.target=load", "hydra.job.chdir=true",
                   "hydra.run.dir=runs/a")  # fmt: skip
    assert made.code == 0, made.err
    assert f"file: {tmp_path / 'my.csv'}\n" in (tmp_path / "runs" / "a" / "config.yaml").read_text()


def test_the_data_directory_reaches_the_task():
    assert compose(["data.dir=/somewhere"]).task.data_dir == "/somewhere"
    assert compose().task.data_dir is None


def test_configurations_cannot_be_changed_by_accident():
    with pytest.raises(dataclasses.FrozenInstanceError):
        compose().seed = 3


def test_interpolations_are_resolved():
    tree = {"cell": "lstm", "task": "adding", "model": {"hidden_size": 12, "embedding_size": "${model.hidden_size}"}}
    assert to_config(OmegaConf.create(tree)).model.embedding_size == 12


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "is not a run directory: it has no config.yaml"),
        ("a: [1", "cannot be read"),
        ("[1, 2]", "is not a configuration of keys and values"),
        ("cell: lstm\ntask: nonesuch\n", "unknown task 'nonesuch'"),
        ("cell: nonesuch\ntask: adding\n", "unknown cell 'nonesuch'"),
    ],
)
def test_a_file_that_is_no_configuration_is_named(tmp_path, text, message):
    path = tmp_path / "config.yaml"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=message) as error:
        read_config(path)
    assert str(tmp_path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_table_of_ones_own_is_refused_where_the_task_reads_none():
    with pytest.raises(ConfigError, match=r"data\.file is set, but task adding does not use it"):
        compose(["task=adding", "data.file=my.csv"])
