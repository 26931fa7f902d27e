"""Runs that were validated alone, such as the trials of a search: shown as such, and never beside tested runs."""

import csv
import json

import pytest
from search_records import searched

from lstmlab.study import compare, importance, write_comparison
from lstmlab.study.runs import read_run
from lstmlab.study.table import table
from lstmlab.tracking.files import RunError


def trials(make_run, cell="lstm", count=4):
    """Trials of one cell; the second is the best on validation."""
    for number, value in enumerate([0.3, 0.1, 0.2, 0.4][:count]):
        rate = f"optimizer.learning_rate={0.1 * (number + 1):.1f}"
        make_run(f"{number}_{cell}", f"cell={cell}", "training.test=false", rate, value=value)


def test_without_test_values_validation_is_shown_and_called_so(make_run, tmp_path):
    trials(make_run)
    trials(make_run, "gru")
    comparison = compare([tmp_path])
    assert [(row["split"], row["value"], row["baseline"]) for row in comparison.rows] == [("validation", 0.1, None)] * 2
    columns, rows = table(comparison)
    assert "validation mean" in columns
    assert not any("test" in column for column in columns)
    assert rows[0][columns.index("validation mean")] == "0.1 mse"
    assert comparison.verdicts[0].startswith("adding, on validation: one seed ranks nothing")
    (line,) = comparison.mixtures
    assert line.startswith("caution: adding has validation values alone, and settings were chosen on them")
    written = write_comparison(comparison, tmp_path)
    assert (tmp_path / "comparison_adding_intervals.png") in written
    with (tmp_path / "comparison.csv").open(newline="") as file:
        assert {row["split"] for row in csv.DictReader(file)} == {"validation"}


def test_trials_are_left_out_where_there_are_tested_runs(make_run, tmp_path):
    trials(make_run)
    make_run("9_gru", "cell=gru", "training.test=false", status="failed")
    for seed in range(3):
        make_run(f"tested{seed}", f"seed={seed}", value=0.5)
    comparison = compare([tmp_path])
    (row,) = comparison.rows
    assert (row["split"], row["value"], row["setting"], row["failed"]) == ("test", 0.5, {}, 0)
    assert comparison.left_out == []
    (note,) = comparison.notes
    assert note.startswith("adding: 5 runs are left out that never saw the test split (training.test=false)")


def test_until_a_tested_run_has_ended_the_trials_are_shown(make_run, tmp_path):
    trials(make_run)
    make_run("confirming", status="running")
    comparison = compare([tmp_path])
    assert [row["split"] for row in comparison.rows] == ["validation"]
    assert "training.test" not in comparison.rows[0]["setting"]
    assert comparison.notes[0].startswith("adding: 1 run is left out that would have test values, but have not ended")


def test_tasks_on_different_splits_are_told(make_run, tmp_path):
    make_run("a", value=0.2)
    make_run("b", "task=copy_memory", "training.test=false")
    summary = {"status": "finished", "metric": "nats", "value": None, "validation": {"nats": 0.3}}
    (tmp_path / "b" / "summary.json").write_text(json.dumps(summary))
    comparison = compare([tmp_path])
    assert {row["task"]: row["split"] for row in comparison.rows} == {"adding": "test", "copy_memory": "validation"}
    assert any(line.startswith("caution: different splits: ") for line in comparison.mixtures)
    columns, rows = table(comparison)
    shown = [row[columns.index("test/validation mean")] for row in rows]
    assert shown == ["0.2 mse (test)", "0.3 nats (validation)"]


def test_a_run_without_its_validation_value_is_damaged(make_run):
    run = make_run("a", "training.test=false")
    (run / "summary.json").write_text('{"status": "finished", "metric": "mse", "value": null, "test": null}')
    with pytest.raises(RunError, match=r"summary.json: not the summary of a run: its validation value is None"):
        read_run(run)


def test_confirmed_runs_show_what_was_chosen_among_how_many_trials(make_run, tmp_path):
    searched(make_run, tmp_path / "a", lstm=50)
    (row,) = compare([tmp_path]).rows
    assert row["setting"] == {"optimizer.learning_rate": "0.2"}
    assert (row["settings_tried"], row["settings_compared"]) == (50, 50)
    assert table(compare([tmp_path]))[1][0][-1] == "optimizer.learning_rate=0.2 (of 50)"


def test_unequal_numbers_of_trials_are_told(make_run, tmp_path):
    searched(make_run, tmp_path / "a", lstm=50, gru=50)
    assert compare([tmp_path]).mixtures == []
    searched(make_run, tmp_path / "b", rnn=10)
    (line,) = compare([tmp_path]).mixtures
    assert line == "caution: unequal numbers of search trials in adding: 10 (rnn) to 50 (lstm)"
    make_run("by_hand", "cell=lem")
    assert "1 (lem) to 50" in compare([tmp_path]).mixtures[0]


def test_what_matters_is_told_of_the_trials_alone(make_run, tmp_path):
    pytest.importorskip("optuna")
    trials(make_run)
    searched(make_run, tmp_path / "a", lstm=4)
    found = importance([tmp_path])
    assert (len(found.values), found.left_out) == (4, 3)
    assert [row["key"] for row in found.rows] == ["optimizer.learning_rate"]
