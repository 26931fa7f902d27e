"""``lstmlab -m search=…``: real runs, and faulty searches found before the first one."""

import importlib.util
import json

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from search_runs import settings
from small_runs import command, overrides

from lstmlab.commands.train import check
from lstmlab.config import ConfigError, conf_dir, read_config
from lstmlab.launch.search_plan import read_plan

SMALL = [
    "hydra.sweeper.trials=2", "hydra.sweeper.batch_size=2", "hydra.sweeper.confirm_seeds=3", "hydra.sweep.dir=sweep",
]  # fmt: skip


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """Two cells, two trials, two seeds, and three with which the best setting is confirmed."""
    directory = tmp_path_factory.mktemp("search")
    arguments = ["-m", "search=tpe", "cell=glob([rnn,gru])", "seed=0,1", *overrides("adding"), *SMALL]
    arguments[-1] = f"hydra.sweep.dir={directory}"
    return directory, arguments, command(*arguments)


def test_it_runs_every_trial_of_every_cell_with_every_seed(searched):
    directory, _, ran = searched
    assert ran.code == 0
    trials = json.loads((directory / "search.json").read_text())["trials"]
    assert [trial["state"] for trial in trials] == ["finished"] * 4
    for trial in trials:
        configs = [read_config(directory / name / "config.yaml") for name in trial["directories"]]
        assert [config.seed for config in configs] == [0, 1]
        assert {config.cell.name for config in configs} == {trial["combination"]["cell"]}
        rate = float(trial["values"]["optimizer.learning_rate"])
        assert {config.optimizer.learning_rate for config in configs} == {rate}
        summaries = [json.loads((directory / name / "summary.json").read_text()) for name in trial["directories"]]
        mean = sum(summary["validation"]["mse"] for summary in summaries) / 2
        assert trial["objective"] == pytest.approx(mean)


def test_it_ends_with_the_best_and_the_comparison(searched):
    directory, _, ran = searched
    best = json.loads((directory / "search.json").read_text())["best"]
    for entry in best:
        line = next(
            line for line in ran.out.splitlines() if line.startswith(f"search cell={entry['combination']['cell']}")
        )
        assert f"best objective {entry['objective']:.6g} with optimizer.learning_rate=" in line
    assert "Comparison of" in ran.out
    assert (directory / "multirun.yaml").exists()


def test_no_trial_has_a_test_value(searched):
    directory, _, _ = searched
    trials = json.loads((directory / "search.json").read_text())["trials"]
    for name in [name for trial in trials for name in trial["directories"]]:
        summary = json.loads((directory / name / "summary.json").read_text())
        assert (summary["value"], summary["test"], summary["baselines"]) == (None, None, {})
        assert "test" not in (directory / name / "metrics.jsonl").read_text()


def test_the_best_settings_are_confirmed_and_these_runs_compared(searched):
    directory, _, ran = searched
    best = json.loads((directory / "search.json").read_text())["best"]
    for index, entry in enumerate(best):
        cell, rate = entry["combination"]["cell"], float(entry["values"]["optimizer.learning_rate"])
        for seed in (2, 3, 4):
            run = directory / "confirm" / f"{index}_{cell}_adding_seed{seed}"
            config = read_config(run / "config.yaml")
            assert (config.cell.name, config.seed, config.optimizer.learning_rate) == (cell, seed, rate)
            assert json.loads((run / "summary.json").read_text())["test"].keys() == {"mse", "within_0.04"}
    assert ran.out.count("[6/6] ") == 1
    rows = json.loads((directory / "comparison.json").read_text())["rows"]
    assert {(row["cell"], row["split"], row["seeds"], row["settings_tried"]) for row in rows} == {
        ("rnn", "test", 3, 2), ("gru", "test", 3, 2),
    }  # fmt: skip
    assert "confirming 2 settings chosen on validation, with seeds that no trial has used (2, 3, 4)" in ran.out
    assert "adding: 8 runs are left out that never saw the test split" in ran.out
    assert "(paired t test, 3 seeds, 5 % level)" in ran.out


def test_a_finished_search_is_not_run_again(searched):
    directory, arguments, _ = searched
    before = {path: path.stat().st_mtime_ns for path in directory.rglob("model.npz")}
    assert len(before) == 8 + 6
    ran = command(*arguments, "resume=true")
    assert ran.code == 0
    assert {path: path.stat().st_mtime_ns for path in directory.rglob("model.npz")} == before
    refused = command(*arguments)
    assert refused.code == 1
    assert "search.json is there already: add resume=true" in refused.err
    assert refused.err.count("\n") == 1


def test_trials_that_diverge_are_failed_trials(folder):
    wild = ["optimizer.name=sgd", "optimizer.clip_norm=0", "optimizer.learning_rate=choice(1e30,0.01)", "cell=rnn"]
    ran = command(
        "-m",
        "search=random",
        *overrides("adding", *wild),
        *SMALL[:-2],
        "hydra.sweep.dir=sweep",
        "hydra.sweeper.confirm_seeds=0",
        "hydra.sweeper.trials=4",
    )
    trials = json.loads((folder / "sweep" / "search.json").read_text())["trials"]
    states = {trial["values"]["optimizer.learning_rate"]: trial["state"] for trial in trials}
    assert states == {"1e+30": "failed", "0.01": "finished"}
    assert "failed; best objective" in ran.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["optimizer.learning_rate=interval(-1,1)"], "optimizer.learning_rate is -1.0, but must be at least 0"),
        (["optimizer.momentum=interval(0,2)"], "optimizer.momentum is 2.0, but must be at most 1"),
        (["model.hidden_size=interval(8,20)"], "but must be of type int"),
        (["model.hidden_size=range(0,20)"], "model.hidden_size is 0, but must be at least 1"),
        (["model.hiden_size=range(1,20)"], "did you mean 'hidden_size'?"),
        (["init.recurrent=orthogonal,orthogonl"], "did you mean 'orthogonal'?"),
        (["cell=lstm,lstmm"], "did you mean 'lstm'?"),
        (["seed=interval(0,1)"], "list the values"),
        (["task=adding", "task.length=interval(5,9)"], "list the values"),
        (["optimizer.learning_rate=0.1"], "nothing to search"),
        (["training.test=true"], "training.test is set by the search: its trials are validated alone"),
        (["hydra.sweeper.confirm_seeds=-1"], "confirm_seeds is -1, but must be a whole number of at least 0"),
        (["hydra.sweeper.trials=0"], "hydra.sweeper.trials is 0, but must be a whole number of at least 1"),
        (["hydra.sweeper.sampler=cma"], "must be one of: random, tpe"),
        (["hydra.sweeper.grid=cell"], "hydra.sweeper.grid is 'cell', but must be a list of keys"),
        (["+hydra.sweeper.trialz=3"], "unknown key 'hydra.sweeper.trialz'; did you mean 'trials'?"),
        (["+hydra.sweeper.space.seed=3"], "'seed: 3' is no range"),
        (["search=tpe,random"], "lists several searches"),
        (["search=tpee"], "did you mean 'tpe'?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_faulty_search_is_found_before_the_first_job_starts(arguments, told, folder):
    chosen = [] if arguments[0].startswith("search=") else ["search=random"]
    refused = command("-m", *chosen, *arguments)
    assert refused.code == 1
    assert told in refused.err
    assert refused.err.startswith("lstmlab: ")
    assert refused.err.count("\n") == 1
    assert not list(folder.iterdir())


def test_a_search_without_m_and_one_without_optuna_are_refused(monkeypatch):
    with pytest.raises(ConfigError, match="add -m"):
        check(["search=random"], sweep=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'lstmlab\[search\]'"):
        check(["search=random"], sweep=True)


@pytest.mark.parametrize("name", sorted(path.stem for path in (conf_dir() / "search").glob("*.yaml")))
def test_every_search_of_conf_can_run(name):
    check([f"search={name}", "cell=lstm,gru", "task=adding", "seed=0,1"], sweep=True)


def test_a_search_of_ones_own_is_found_in_a_further_folder(tmp_path):
    (tmp_path / "search").mkdir()
    space = "hydra:\n  sweeper:\n    space:\n      model.layers: int(interval(0,2))\n"
    mine = f"# @package _global_\ndefaults:\n  - override /hydra/sweeper: search\n{space}"
    (tmp_path / "search" / "depth.yaml").write_text(mine, encoding="utf-8")
    check(["search=depth", "model.layers=range(1,3)"], sweep=True, config_dir=str(tmp_path))
    with pytest.raises(ConfigError, match=r"model\.layers is 0, but must be at least 1"):
        check(["search=depth"], sweep=True, config_dir=str(tmp_path))


def plan(*arguments, **changed):
    return read_plan(settings(**changed), OverridesParser.create().parse_overrides(list(arguments)))


def test_what_is_compared_repeated_and_searched():
    found = plan(
        "cell=lstm,gru", "optimizer=adam,sgd", "task=adding", "task.length=5,6", "seed=range(2)", "model.layers=1,2",
        "dropout.layer=0.1,0.2", grid=["model.layers"],
    )  # fmt: skip
    assert found.fixed == ["task=adding"]
    assert found.seeds == ["0", "1"]
    assert list(found.grid) == ["cell", "optimizer", "task.length", "model.layers"]
    assert list(found.space) == ["optimizer.learning_rate", "dropout.layer"]


def test_the_command_line_replaces_and_fixes_ranges_of_the_file():
    space = {"optimizer.learning_rate": "interval(0,1)", "dropout.layer": "interval(0,1)", "seed": "0,1"}
    found = plan("optimizer.learning_rate=interval(0.2,0.3)", "dropout.layer=0.5", space=space)
    assert found.fixed == ["dropout.layer=0.5"]
    assert found.space["optimizer.learning_rate"].low == 0.2
    assert list(found.space) == ["optimizer.learning_rate"]
    assert found.seeds == ["0", "1"]


def test_only_ranges_of_keys_that_compile_a_program_each_are_cut():
    space = {"optimizer.learning_rate": "interval(0,1)", "model.hidden_size": "tag(log,int(interval(20,200)))"}
    found = plan(space=space, static_values=3)
    assert found.space["model.hidden_size"].values == ("20", "63", "200")
    assert found.space["optimizer.learning_rate"].high == 1
