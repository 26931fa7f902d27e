"""Which hyperparameters matter: shares of variance that are known from the function that made the values."""

import builtins
import csv
import dataclasses
import importlib
import itertools
import json

import numpy as np
import pytest

from lstmlab.commands.importance import main as importance_command
from lstmlab.config import compose
from lstmlab.study import importance
from lstmlab.tracking.files import RunError

pytest.importorskip("optuna")
pytest.importorskip("sklearn")
RATES, SIZES, LAYERS = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1), (10, 20, 30, 40, 50), (1, 2)


@pytest.fixture
def grid(make_run, tmp_path):
    """Runs whose metric is a function of the learning rate's place, the size's place and the number of layers."""

    def make(function):
        places = itertools.product(enumerate(RATES), enumerate(SIZES), LAYERS)
        base = compose(["task=adding"])
        for number, ((i, rate), (j, size), layers) in enumerate(places):
            config = dataclasses.replace(
                base,
                optimizer=dataclasses.replace(base.optimizer, learning_rate=rate),
                model=dataclasses.replace(base.model, hidden_size=size, layers=layers),
            )
            make_run(str(number), config=config, value=1 + function(i, j, layers))
        return tmp_path

    return make


@pytest.fixture
def two_forests(monkeypatch):
    """Fewer forests, where a test is not about the numbers."""
    monkeypatch.setattr(importlib.import_module("lstmlab.study.importance"), "REPEATS", 2)


def shares(found):
    return {row["key"]: row["importance"] for row in found.rows}


def test_the_shares_of_a_sum_are_those_of_its_variances(grid):
    # On even grids of five the variances are 2·3² and 2·1²: nine tenths and one tenth, and layers none.
    found = importance([grid(lambda i, j, layers: 3 * i + j)])
    assert [row["key"] for row in found.rows] == ["optimizer.learning_rate", "model.hidden_size", "model.layers"]
    assert list(shares(found).values()) == pytest.approx([0.9, 0.1, 0.0], abs=0.04)
    assert found.interactions == pytest.approx(0.0, abs=0.03)
    assert found.rows[0]["scale"] == "log"
    assert found.rows[1]["scale"] == "linear"
    assert all(0 <= row["sd"] < 0.05 for row in found.rows)


def test_what_keys_explain_only_together_is_an_interaction(grid):
    found = importance([grid(lambda i, j, layers: (i - 2) * (j - 2))])
    assert found.interactions > 0.8
    assert max(shares(found).values()) < 0.12


def test_the_cell_is_a_key_where_there_are_several(make_run, tmp_path):
    for seed, (cell, rate) in enumerate(itertools.product(("lstm", "gru"), (0.1, 0.2))):
        make_run(str(seed), f"cell={cell}", f"optimizer.learning_rate={rate}", value=0.1 if cell == "gru" else 0.5)
    found = importance([tmp_path])
    assert found.rows[0]["key"] == "cell.name"
    assert found.rows[0]["scale"] == "choice"
    assert found.rows[0]["importance"] > 0.9
    assert found.cells == ["lstm", "gru"]


@pytest.mark.usefixtures("two_forests")
def test_a_key_that_makes_runs_diverge_matters(make_run, tmp_path):
    for number, (rate, size) in enumerate(itertools.product((0.1, 0.2), SIZES)):
        status = "failed" if rate == 0.2 else "finished"
        keys = (f"optimizer.learning_rate={rate}", f"model.hidden_size={size}")
        make_run(str(number), *keys, value=0.1 + 0.001 * size, status=status)
    found = importance([tmp_path])
    assert found.failed == 5
    assert max(found.values) == pytest.approx(0.15)
    assert found.rows[0]["key"] == "optimizer.learning_rate"


@pytest.mark.usefixtures("two_forests")
def test_it_is_the_same_every_time_and_written_where_asked(grid, capsys):
    runs = grid(lambda i, j, layers: i)
    importance_command([str(runs), "--output", str(runs / "out")])
    shown = capsys.readouterr()
    assert "optimizer.learning_rate" in shown.out
    assert "5 from 1e-05 to 0.1, on a log scale" in shown.out
    assert shown.err == ""
    names = ["importance.json", "importance.csv", "importance.md", "importance.png", "importance_scatter.png"]
    assert shown.out.splitlines()[-1] == f"written to {runs / 'out'}: {', '.join(names)}"
    content = json.loads((runs / "out" / "importance.json").read_text())
    assert content["rows"] == importance([runs]).rows
    assert len(content["values"]) == len(content["settings"]) == 50
    first = next(csv.DictReader((runs / "out" / "importance.csv").open()))
    assert float(first["importance"]) == pytest.approx(1.0, abs=0.02)
    assert all((runs / "out" / name).read_bytes().startswith(b"\x89PNG") for name in names[3:])


@pytest.mark.usefixtures("two_forests")
def test_larger_is_better_changes_no_share(make_run, tmp_path):
    for number, (rate, size) in enumerate(itertools.product((0.1, 0.2), (8, 16))):
        make_run(str(number), f"optimizer.learning_rate={rate}", f"model.hidden_size={size}", value=rate, goal="max")
    found = importance([tmp_path])
    assert sorted(found.values) == pytest.approx([0.1, 0.1, 0.2, 0.2])
    assert found.rows[0]["key"] == "optimizer.learning_rate"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({}, "importance compares runs of one task, but here are adding, copy_memory: choose with --task"),
        ({"task": "addin"}, r"--task addin: no run of this task \(tasks here: adding, copy_memory\)"),
        ({"cell": "gru"}, r"--cell gru: no run of this cell \(cells here: lstm\)"),
        ({"task": "copy_memory"}, "importance needs at least 4 runs that ended, one of them with a result: 1 here"),
        ({"task": "adding"}, "the 4 runs differ in no key but seed, name and place"),
    ],
    ids=str,
)
def test_runs_that_cannot_be_told_apart_are_an_error(asked, told, make_run, tmp_path):
    for seed in range(4):
        make_run(str(seed), f"seed={seed}", value=0.1 * seed)
    make_run("other", "task=copy_memory")
    with pytest.raises(RunError, match=told):
        importance([tmp_path], **asked)


def test_without_optuna_it_says_what_to_install(monkeypatch, tmp_path):
    own = builtins.__import__

    def refuse(name, *rest, **more):
        if name == "optuna":
            raise ModuleNotFoundError("No module named 'optuna'", name="optuna")
        return own(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(RunError, match=r"importance needs optuna: pip install lstmlab\[search\]"):
        importance([tmp_path])


def test_equal_values_have_nothing_to_explain(grid):
    with pytest.raises(RunError, match="all 50 runs have the same validation metric, 1"):
        importance([grid(lambda i, j, layers: 0)])


def test_a_decade_and_a_half_is_the_border_between_scales():
    from lstmlab.study.importance import on_log_scale

    assert on_log_scale([1, 100])
    assert not on_log_scale([1, 20])
    assert not on_log_scale([0, 100])
    assert not on_log_scale([True, 100])
    assert not on_log_scale(np.array([1.0, 2.0]).tolist())
