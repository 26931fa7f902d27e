"""The comparison of runs: one row per task and cell, chosen fairly, with failures in plain sight."""

import json
import math
import os

import numpy as np
import pytest
from small_runs import as_older_version

from lstmlab.study import compare
from lstmlab.study.statistics import improvement, iqm_interval, mean_interval
from lstmlab.tracking.files import RunError


def test_seeds_of_one_setting_are_one_row_with_mean_and_interval(make_run, tmp_path):
    values = (0.1, 0.2, 0.3, 0.14, 0.005)
    for seed, value in enumerate(values):
        make_run(str(seed), f"seed={seed}", value=value, peak_memory={"host": 100 + seed, "device": None})
    (row,) = compare([tmp_path]).rows
    assert (row["task"], row["cell"], row["seeds"], row["failed"]) == ("adding", "lstm", 5, 0)
    assert (row["host_memory"], row["device_memory"]) == (102, None)
    assert (row["value"], row["low"], row["high"]) == mean_interval(values)
    assert (row["parameters"], row["hidden_size"], row["state_size"]) == (361, 128, 16)
    assert (row["metric"], row["goal"], row["steps_per_second"]) == ("mse", "min", 100.0)
    assert (row["baseline"], row["baseline_name"], row["learned"]) == (pytest.approx(1 / 6), "constant 1", 3)
    assert [(entry["seed"], entry["value"]) for entry in row["values"]] == list(enumerate(values))


@pytest.mark.parametrize("seeds", [1, 2])
def test_below_three_seeds_there_is_no_interval_no_probability_and_no_verdict(seeds, make_run, tmp_path):
    for seed in range(seeds):
        make_run(f"l{seed}", f"seed={seed}")
        make_run(f"g{seed}", "cell=gru", f"seed={seed}", value=0.05)
    comparison = compare([tmp_path])
    row = next(row for row in comparison.rows if row["cell"] == "lstm")
    assert (row["value"], row["low"], row["high"]) == (0.1, None, None)
    assert {row["improvement"] for row in comparison.rows} == {row["verdict"] for row in comparison.rows} == {None}
    (line,) = comparison.verdicts
    said = {1: "one seed ranks nothing", 2: "two seeds rank nothing"}[seeds]
    assert line == f"adding: {said}: run at least 3 (seed=0,1,2)"


def test_with_twelve_seeds_of_every_cell_the_interquartile_mean_is_shown(make_run, tmp_path):
    values = [*np.random.default_rng(0).normal(1.0, 0.1, 11), 50.0]
    for seed, value in enumerate(values):
        make_run(f"l{seed}", f"seed={seed}", value=value)
    (row,) = compare([tmp_path]).rows
    assert row["statistic"] == "IQM"
    assert (row["value"], row["low"], row["high"]) == iqm_interval(values)
    assert row["high"] < 1.2
    make_run("gru", "cell=gru")
    assert {row["statistic"] for row in compare([tmp_path]).rows} == {"mean"}


def test_steps_and_seconds_to_the_threshold_are_medians_of_the_seeds_that_reached_it(make_run, tmp_path):
    for seed, (step, seconds) in enumerate([(100, 1.0), (300, 4.0), (200, 2.0)]):
        make_run(str(seed), f"seed={seed}", value=0.001, solved={"step": step, "seconds": seconds})
    make_run("unsolved", "seed=9", value=0.1)
    (row,) = compare([tmp_path]).rows
    assert (row["solved"], row["steps_to_solved"], row["seconds_to_solved"]) == (3, 200, 2.0)


@pytest.mark.parametrize(("goal", "order"), [("min", ["lstm", "gru", "rnn"]), ("max", ["rnn", "gru", "lstm"])])
def test_cells_are_ordered_from_best_to_worst(goal, order, make_run, tmp_path):
    for cell, value in (("rnn", 0.16), ("lstm", 0.01), ("gru", 0.02)):
        make_run(cell, f"cell={cell}", value=value, goal=goal)
    assert [row["cell"] for row in compare([tmp_path]).rows] == order


def test_where_more_is_better_the_largest_baseline_counts(make_run, tmp_path):
    make_run("a", value=0.7, goal="max")
    (row,) = compare([tmp_path]).rows
    assert (row["baseline_name"], row["learned"]) == ("nothing", 0)


def test_the_setting_is_chosen_on_validation_and_reported_on_test(make_run, tmp_path):
    make_run("a", "optimizer.learning_rate=0.1", validation=0.3, value=0.01)
    make_run("b", "optimizer.learning_rate=0.2", validation=0.1, value=0.09)
    (row,) = compare([tmp_path]).rows
    assert row["value"] == 0.09
    assert row["setting"] == {"optimizer.learning_rate": 0.2}
    assert (row["settings_tried"], row["settings_compared"]) == (2, 2)


def test_no_cell_is_chosen_from_more_settings_than_another(make_run, tmp_path):
    for number, (rate, value) in enumerate([(0.1, 0.05), (0.2, 0.04), (0.3, 0.001)]):
        make_run(f"{number}_lstm", f"optimizer.learning_rate={rate}", value=value)
    for number, rate in enumerate((0.1, 0.2)):
        make_run(f"{number}_gru", "cell=gru", f"optimizer.learning_rate={rate}", value=0.045)
    comparison = compare([tmp_path])
    rows = {row["cell"]: row for row in comparison.rows}
    assert rows["lstm"]["value"] == 0.04
    assert (rows["lstm"]["settings_tried"], rows["lstm"]["settings_compared"]) == (3, 2)
    (note,) = comparison.notes
    assert note.startswith("equal tuning budget: adding, lstm tried 3 settings, of which the first 2 count")
    # Nothing is lost: the setting that did not count is still told.
    assert {s["setting"]["optimizer.learning_rate"] for s in comparison.settings if s["cell"] == "lstm"} == {
        0.1,
        0.2,
        0.3,
    }


def test_a_setting_that_fails_on_half_its_seeds_loses_against_one_that_does_not(make_run, tmp_path):
    for seed in range(4):
        status = "failed" if seed % 2 else "finished"
        make_run(f"fast{seed}", "optimizer.learning_rate=0.5", f"seed={seed}", value=0.01, status=status)
        make_run(f"slow{seed}", "optimizer.learning_rate=0.1", f"seed={seed}", value=0.1)
    (row,) = compare([tmp_path]).rows
    assert row["setting"] == {"optimizer.learning_rate": 0.1}


def test_failed_runs_show_in_the_row_and_lose_every_pair(make_run, tmp_path):
    for seed in range(4):
        make_run(f"l{seed}", f"seed={seed}", value=0.1)
        make_run(f"g{seed}", "cell=gru", f"seed={seed}", value=0.01, status="failed" if seed % 2 else "finished")
    rows = {row["cell"]: row for row in compare([tmp_path]).rows}
    gru = rows["gru"]
    assert (gru["value"], gru["seeds"], gru["failed"], gru["learned"]) == (0.01, 2, 2, 2)
    assert gru["improvement"] == 0.5
    assert gru["improvement_low"] < 0.5 < gru["improvement_high"]
    assert rows["lstm"]["improvement"] is None


def test_a_cell_that_always_fails_has_a_row_without_a_value_at_the_end(make_run, tmp_path):
    make_run("a", "cell=gru", status="failed")
    make_run("b", value=0.9)
    first, last = compare([tmp_path]).rows
    assert (first["cell"], last["cell"]) == ("lstm", "gru")
    assert (last["value"], last["seeds"], last["failed"], last["improvement"]) == (None, 0, 1, None)


def test_a_value_that_is_not_a_number_is_a_failure(make_run, tmp_path):
    make_run("a", value=math.nan)
    make_run("b", "cell=gru")
    comparison = compare([tmp_path])
    assert [(row["cell"], row["failed"]) for row in comparison.rows] == [("gru", 0), ("lstm", 1)]
    assert comparison.left_out[0]["reason"] == "its test mse is nan"


def test_two_runs_of_one_seed_are_not_two_seeds_and_the_newest_counts(make_run, tmp_path):
    for age, (name, value) in enumerate([("new", 0.1), ("old", 0.2)]):
        run = make_run(name, f"name={name}", value=value)
        os.utime(run / "summary.json", (1000 - age, 1000 - age))
    make_run("going on", status="running")
    comparison = compare([tmp_path])
    (row,) = comparison.rows
    assert (row["seeds"], row["unfinished"], row["value"]) == (1, 0, 0.1)
    assert comparison.notes[0].startswith("2 runs replaced by a newer one of the same setting and seed")


def test_names_places_and_seeds_are_no_settings(make_run, tmp_path):
    make_run("a", "name=one", "wandb.project=x", "seed=1", "data.dir=/here")
    make_run("b", "name=two", "wandb.project=y", "seed=2", "resume=true")
    (row,) = compare([tmp_path]).rows
    assert (row["seeds"], row["setting"]) == (2, {})


def test_a_key_that_older_runs_lack_is_no_setting(make_run, tmp_path):
    make_run("a", "seed=0")
    config = as_older_version(make_run("b", "seed=1")) / "config.yaml"
    config.write_text(config.read_text().replace("  chunk: 0\n", ""))
    (row,) = compare([tmp_path]).rows
    assert row["seeds"] == 2


def test_tasks_and_their_settings_are_compared_apart(make_run, tmp_path):
    make_run("a", "task.length=200")
    make_run("b", "task.length=50")
    make_run("c", "task=copy_memory")
    rows = compare([tmp_path]).rows
    assert [(row["task"], row["task_settings"]) for row in rows] == [
        ("adding", {"task.length": 50}),
        ("adding", {"task.length": 200}),
        ("copy_memory", {}),
    ]


def test_a_key_keeps_its_values_apart_where_asked(make_run, tmp_path):
    for size in (16, 32):
        for rate in (0.1, 0.2):
            make_run(
                f"{size}-{rate}", f"model.hidden_size={size}", f"optimizer.learning_rate={rate}", value=rate / size
            )
    rows = compare([tmp_path], by=["model.hidden_size"]).rows
    assert [(row["by"], row["setting"]) for row in rows] == [
        ({"model.hidden_size": 32}, {"optimizer.learning_rate": 0.1}),
        ({"model.hidden_size": 16}, {"optimizer.learning_rate": 0.1}),
    ]


def test_a_cell_is_compared_with_the_reference_at_its_own_values(make_run, tmp_path):
    for size, ours, theirs in ((16, 0.1, 0.2), (32, 0.2, 0.1)):
        for seed in range(3):
            keys = (f"model.hidden_size={size}", f"seed={seed}")
            make_run(f"l{size}-{seed}", *keys, value=theirs)
            make_run(f"g{size}-{seed}", "cell=gru", *keys, value=ours)
    rows = compare([tmp_path], by=["model.hidden_size"]).rows
    found = {row["by"]["model.hidden_size"]: row["improvement"] for row in rows if row["cell"] == "gru"}
    assert found == {16: 1.0, 32: 0.0}


def test_the_reference_is_the_lstm_or_the_one_asked_for_or_the_best(make_run, tmp_path):
    for cell, value in (("gru", 0.1), ("lstm", 0.2), ("rnn", 0.3)):
        for seed in range(3):
            make_run(f"{cell}/{seed}", f"cell={cell}", f"seed={seed}", value=value)
    assert compare([tmp_path]).reference == "lstm"
    assert compare([tmp_path / "rnn", tmp_path / "gru"]).reference == "gru"
    rows = compare([tmp_path], reference="rnn").rows
    assert [row["improvement"] for row in rows] == [1.0, 1.0, None]


def test_improvement_is_over_all_pairs_of_seeds(make_run, tmp_path):
    ours, theirs = [0.1, 0.3, 0.2], [0.2, 0.25, 0.22]
    for seed, value in enumerate(ours):
        make_run(f"g{seed}", "cell=gru", f"seed={seed}", value=value)
    for seed, value in enumerate(theirs):
        make_run(f"l{seed}", f"seed={seed}", value=value)
    row = next(row for row in compare([tmp_path]).rows if row["cell"] == "gru")
    found = tuple(row[key] for key in ("improvement", "improvement_low", "improvement_high"))
    assert found == improvement([ours], [theirs])


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"reference": "mut"}, r"--reference mut: no run of this cell \(cells here: lstm\)"),
        ({"by": ["model.hiden_size"]}, "--by model.hiden_size: no run has this key; did you mean 'model.hidden_size'?"),
        ({"by": ["seed"]}, "--by seed: rows are always kept apart by task and cell, and never by seed"),
    ],
)
def test_what_no_run_has_is_an_error_that_says_what_there_is(asked, told, make_run, tmp_path):
    make_run("a")
    with pytest.raises(RunError, match=told):
        compare([tmp_path], **asked)


def test_runs_without_a_result_are_counted_by_reason(make_run, tmp_path):
    make_run("good")
    for seed in range(3):
        make_run(
            f"f{seed}",
            f"seed={seed}",
            status="failed",
            error=f"RunFailed: the loss stopped being finite at step {seed}: x",
        )
    make_run("broken", "seed=8", status="failed", error="ValueError: shapes differ: (3,) and (4,)")
    cut = make_run("cut", "seed=7", status="running")
    found = {(e["status"], e["reason"]): (e["count"], e["directories"]) for e in compare([tmp_path]).left_out}
    assert found["unfinished", "not finished"] == (1, [str(cut)])
    assert found["failed", "the loss stopped being finite at step …"][0] == 3
    assert found["failed", "ValueError: shapes differ"][0] == 1
    assert len(found) == 3


def test_without_any_result_the_reasons_are_the_error(make_run, tmp_path):
    make_run("failed", status="failed")
    with pytest.raises(RunError, match=r"no finished run in .*the loss stopped being finite at step 12: 1\)"):
        compare([tmp_path])
    (tmp_path / "empty").mkdir()
    with pytest.raises(RunError, match="no finished run in"):
        compare([tmp_path / "empty"])
    with pytest.raises(RunError, match="nowhere is not a directory"):
        compare([tmp_path / "nowhere"])


def test_a_summary_of_an_older_version_is_read(make_run, tmp_path):
    path = make_run("a") / "summary.json"
    old = json.loads(path.read_text())
    kept = ("status", "metric", "value")
    path.write_text(json.dumps({key: old[key] for key in kept}))
    (row,) = compare([tmp_path]).rows
    assert (row["value"], row["hidden_size"], row["baseline"], row["learned"], row["solved"]) == (
        0.1,
        128,
        None,
        None,
        None,
    )


def test_tables_of_ones_own_are_tasks_of_their_own(make_run, tmp_path):
    for name in ("one", "two"):
        config = as_older_version(make_run(name)) / "config.yaml"
        config.write_text(config.read_text().replace("  file: null", f"  file: {name}.csv"))
    assert [row["task_settings"] for row in compare([tmp_path]).rows] == [
        {"data.file": "one.csv"}, {"data.file": "two.csv"}
    ]  # fmt: skip
