"""The comparison of finished runs: one row per cell and setting, means over seeds, failures named."""

import csv
import json
import math
import sys

import pytest

from lstmlab.config import compose, save_config, to_tree
from lstmlab.study import COLUMNS, compare, write_comparison
from lstmlab.study.compare import find_runs, setting_labels
from lstmlab.tracking import RunFiles
from lstmlab.tracking.files import RunError


@pytest.fixture
def make_run(tmp_path):
    """Writes the directory of a run that ended with the given value."""

    def make(name, *overrides, value=0.1, status="finished", curve=(0.5, 0.2), goal="min"):
        config = compose(["task=adding", *overrides])
        directory = tmp_path / name
        files = RunFiles(directory)
        save_config(to_tree(config), directory / "config.yaml")
        for step, point in enumerate(curve, start=1):
            files.log(step, {"train/loss": point, "validation/mse": point})
        if status == "failed":
            files.fail("the loss stopped being finite")
        elif status == "finished":
            files.finish(
                {
                    "cell": config.cell.name, "task": config.task.name, "seed": config.seed, "metric": "mse",
                    "goal": goal, "value": value, "baselines": {"constant 1": 1 / 6, "nothing": 0.9},
                    "beats_baseline": value < 1 / 6, "solved": {"step": 1} if value < 0.01 else False,
                    "parameters": 361, "state_size": 16, "steps_per_second": 100.0,
                }
            )  # fmt: skip
        return directory

    return make


def test_seeds_of_one_setting_are_one_row_with_mean_and_deviation(make_run, tmp_path):
    for seed, value in enumerate((0.1, 0.2, 0.3)):
        make_run(str(seed), f"seed={seed}", value=value)
    (row,) = compare([tmp_path]).rows
    assert row["task"] == "adding"
    assert row["cell"] == "lstm"
    assert row["seeds"] == 3
    assert float(row["mean"]) == pytest.approx(0.2)
    assert float(row["± sd"]) == pytest.approx(0.1)
    assert (row["parameters"], row["state"], row["steps/s"]) == (361, 16, "100.0")


def test_the_best_trivial_baseline_stands_beside_the_result(make_run, tmp_path):
    make_run("good", "seed=0", value=0.005)
    make_run("bad", "seed=1", value=0.3)
    (row,) = compare([tmp_path]).rows
    assert row["baseline"] == "0.1667 (constant 1)"
    assert (row["learned"], row["solved"]) == ("1/2", "1/2")


def test_cells_are_ordered_from_best_to_worst(make_run, tmp_path):
    for cell, value in (("rnn", 0.16), ("lstm", 0.01), ("gru", 0.02)):
        make_run(cell, f"cell={cell}", value=value)
    assert [row["cell"] for row in compare([tmp_path]).rows] == ["lstm", "gru", "rnn"]


def test_where_more_is_better_the_largest_comes_first(make_run, tmp_path):
    for cell, value in (("rnn", 0.16), ("lstm", 0.7)):
        make_run(cell, f"cell={cell}", value=value, goal="max")
    first, _ = compare([tmp_path]).rows
    assert first["cell"] == "lstm"
    assert first["baseline"] == "0.9 (nothing)"


def test_settings_that_differ_name_their_rows(make_run, tmp_path):
    make_run("a", "model.hidden_size=16")
    make_run("b", "model.hidden_size=32", "cell=gru", "cell.reset=before")
    make_run("c", "model.hidden_size=32", "cell=gru", "cell.reset=after")
    assert {row["cell"] for row in compare([tmp_path]).rows} == {
        "lstm model.hidden_size=16",
        "gru cell.reset=before model.hidden_size=32",
        "gru cell.reset=after model.hidden_size=32",
    }


def test_names_places_and_seeds_are_no_settings(make_run, tmp_path):
    a = make_run("a", "name=one", "wandb.project=x", "seed=1", "data.dir=/here")
    b = make_run("b", "name=two", "wandb.project=y", "seed=2", "resume=true")
    assert set(setting_labels([a, b]).values()) == {""}
    assert len(compare([tmp_path]).rows) == 1


def test_tasks_are_compared_apart(make_run, tmp_path):
    make_run("a", "task=adding")
    make_run("b", "task=copy_memory", "model.hidden_size=7")
    rows = compare([tmp_path]).rows
    assert [(row["task"], row["cell"]) for row in rows] == [("adding", "lstm"), ("copy_memory", "lstm")]


def test_runs_without_a_result_are_named_with_their_reason(make_run, tmp_path):
    make_run("good")
    failed, cut = make_run("failed", status="failed"), make_run("cut", status="running")
    assert compare([tmp_path]).failed == [
        f"{cut}: not finished",
        f"{failed}: the loss stopped being finite",
    ]
    assert len(compare([tmp_path]).rows) == 1


def test_without_any_result_the_reasons_are_the_error(make_run, tmp_path):
    make_run("failed", status="failed")
    with pytest.raises(RunError, match=r"no finished run in .*the loss stopped being finite"):
        compare([tmp_path])
    (tmp_path / "empty").mkdir()
    with pytest.raises(RunError, match="no finished run in"):
        compare([tmp_path / "empty"])
    with pytest.raises(RunError, match="nowhere is not a directory"):
        compare([tmp_path / "nowhere"])


def test_a_run_counts_once_however_often_it_is_named(make_run, tmp_path):
    run = make_run("sweep/0")
    assert find_runs([run, tmp_path, tmp_path / "sweep" / ".." / "sweep"]) == [run]
    (row,) = compare([tmp_path, run]).rows
    assert row["seeds"] == 1


def test_what_hydra_and_wandb_keep_is_no_run(make_run, tmp_path):
    run = make_run("a")
    (run / ".hydra").mkdir()
    (run / ".hydra" / "config.yaml").write_text("cell: lstm\n")
    assert find_runs([tmp_path]) == [run]


def test_the_files_of_a_comparison_hold_the_table_and_a_picture_per_task(make_run, tmp_path):
    runs = [make_run("a", "cell=gru"), make_run("b", "cell=rnn", value=0.4), make_run("c", status="failed")]
    comparison = compare(runs)
    (tmp_path / "out").mkdir()
    written = write_comparison(comparison, tmp_path / "out", runs)
    assert [path.name for path in written] == [
        "comparison.md", "comparison.csv", "comparison.json", "comparison_adding.png",
    ]  # fmt: skip
    assert written[3].read_bytes().startswith(b"\x89PNG")
    header, *lines = csv.reader(written[1].open(encoding="utf-8"))
    assert tuple(header) == COLUMNS
    assert [line[1] for line in lines] == ["gru", "rnn"]
    table = written[0].read_text(encoding="utf-8").splitlines()
    assert len(table) == 4
    assert all(name in table[0] for name in COLUMNS)
    content = json.loads(written[2].read_text(encoding="utf-8"))
    assert [row["cell"] for row in content["rows"]] == ["gru", "rnn"]
    assert content["failed"] == comparison.failed
    assert all(not key.startswith("_") for row in content["rows"] for key in row)


def test_curves_are_means_over_the_seeds(make_run, tmp_path, monkeypatch):
    drawn = {}
    module = sys.modules["lstmlab.study.compare"]  # the package's attribute of that name is the function
    monkeypatch.setattr(module, "curves", lambda path, lines, **labels: drawn.update(lines, **labels))
    runs = [
        make_run("a", "seed=0", curve=(0.5, 0.3, 0.1)),
        make_run("b", "seed=1", curve=(0.3, 0.1)),  # stopped early
        make_run("c", "cell=gru", curve=(0.2, 0.2, 0.2)),
        # These have no row in the table, and so no curve.
        make_run("d", "cell=gru", "model.layers=2", curve=(9.0, 9.0, 9.0), status="failed"),
        make_run("e", "seed=2", curve=(9.0,), status="running"),
        make_run("f", "seed=3", status="killed before it logged anything"),
    ]
    (runs[-1] / "metrics.jsonl").unlink()
    write_comparison(compare(runs), tmp_path, runs)
    steps, means = drawn["lstm"]
    assert steps == [1, 2]
    assert means == pytest.approx([0.4, 0.2])
    assert drawn["gru"] == ([1, 2, 3], pytest.approx([0.2, 0.2, 0.2]))
    assert not any("layers" in name for name in drawn)
    assert drawn["baselines"] == {"constant 1": pytest.approx(1 / 6)}


@pytest.mark.parametrize("goal", ["min", "max"])
def test_a_mean_that_is_not_a_number_comes_last(goal, make_run, tmp_path):
    for cell, value in (("rnn", 0.2), ("lstm", math.nan), ("gru", 0.1)):
        make_run(cell, f"cell={cell}", value=value, goal=goal)
    rows = [(row["cell"], row["mean"]) for row in compare([tmp_path]).rows]
    assert rows[2] == ("lstm", "nan")
    assert rows[:2] == sorted(rows[:2], key=lambda row: row[1], reverse=goal == "max")
