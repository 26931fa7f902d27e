"""Cells over several tasks: normalised scores and the mean probability of improvement."""

import pytest

from lstmlab.study import compare
from lstmlab.study.statistics import improvement, mean_over_tasks

BASELINE = 1 / 6


@pytest.fixture
def two_tasks(make_run, tmp_path):
    """Values by cell and length; on the second length the gru is better."""
    values = {
        ("lstm", 50): [0.01, 0.02, 0.03],
        ("gru", 50): [0.03, 0.05, 0.06],
        ("lstm", 99): [0.1, 0.3, 0.15],
        ("gru", 99): [0.04, 0.06, 0.05],
    }
    for (cell, length), results in values.items():
        for seed, value in enumerate(results):
            make_run(f"{cell}{length}-{seed}", f"cell={cell}", f"task.length={length}", f"seed={seed}", value=value)
    return values


def test_a_score_is_0_at_the_baseline_and_1_at_the_best_run(two_tasks, tmp_path):
    rows = {row["cell"]: row for row in compare([tmp_path]).over_tasks}
    best = {50: 0.01, 99: 0.04}
    for cell in ("lstm", "gru"):
        strata = [[(BASELINE - v) / (BASELINE - best[n]) for v in two_tasks[cell, n]] for n in (50, 99)]
        assert (rows[cell]["score"], rows[cell]["low"], rows[cell]["high"]) == pytest.approx(mean_over_tasks(strata))
    assert (rows["gru"]["tasks"], rows["gru"]["runs"], rows["gru"]["failed"]) == (2, 6, 0)


def test_improvement_is_averaged_over_tasks(two_tasks, tmp_path):
    rows = {row["cell"]: row for row in compare([tmp_path]).over_tasks}
    ours, theirs = ([two_tasks[cell, n] for n in (50, 99)] for cell in ("gru", "lstm"))
    assert rows["gru"]["improvement"] == improvement(ours, theirs).value == pytest.approx(0.5 + 1 / 36)
    assert rows["lstm"]["improvement"] is None


def test_a_failed_run_scores_as_the_baseline(make_run, tmp_path):
    for length in (50, 99):
        make_run(f"l{length}", f"task.length={length}", value=0.01)
        make_run(f"g{length}", "cell=gru", f"task.length={length}", status="failed")
    first, last = compare([tmp_path]).over_tasks
    assert (first["cell"], first["score"]) == ("lstm", 1.0)
    assert (last["cell"], last["score"], last["failed"], last["improvement"]) == ("gru", 0.0, 2, None)


def test_a_task_in_which_no_run_beats_the_baseline_has_no_score(make_run, tmp_path):
    make_run("a", "task.length=50", value=0.1)
    make_run("b", "task.length=99", value=0.5)
    comparison = compare([tmp_path])
    (row,) = comparison.over_tasks
    assert (row["tasks"], row["tasks_scored"], row["score"]) == (2, 1, 1.0)
    assert comparison.notes == ["over tasks: no score for adding length=99, where no run beats a baseline"]


def test_a_cell_without_runs_in_every_task_is_left_out_and_named(two_tasks, make_run, tmp_path):
    make_run("rnn", "cell=rnn", "task.length=50")
    comparison = compare([tmp_path])
    assert {row["cell"] for row in comparison.over_tasks} == {"lstm", "gru"}
    assert comparison.notes == ["over tasks: left out, because not every task has a run of them: rnn"]


def test_one_task_has_no_table_over_tasks(make_run, tmp_path):
    make_run("a")
    comparison = compare([tmp_path])
    assert (comparison.over_tasks, comparison.notes) == ([], [])
