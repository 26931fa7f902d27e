"""Cells over several tasks: normalised scores and the mean probability of improvement."""

import math

import pytest

from lstmlab.study import compare
from lstmlab.study.ranks import critical_difference, groups, rank_cells
from lstmlab.study.statistics import improvement, mean_over_tasks
from lstmlab.tasks import task_entry

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


def test_a_score_is_0_at_the_baseline_and_1_at_the_perfect_value(two_tasks, tmp_path):
    rows = {row["cell"]: row for row in compare([tmp_path]).over_tasks}

    def score(value):
        share = 1 - value / BASELINE
        return share if share >= 0 else share / (1 - share)

    for cell in ("lstm", "gru"):
        strata = [[score(v) for v in two_tasks[cell, n]] for n in (50, 99)]
        assert (rows[cell]["score"], rows[cell]["low"], rows[cell]["high"]) == pytest.approx(mean_over_tasks(strata))
    assert (rows["gru"]["tasks"], rows["gru"]["runs"], rows["gru"]["failed"]) == (2, 6, 0)


def test_improvement_is_averaged_over_tasks(two_tasks, tmp_path):
    rows = {row["cell"]: row for row in compare([tmp_path]).over_tasks}
    ours, theirs = ([two_tasks[cell, n] for n in (50, 99)] for cell in ("gru", "lstm"))
    assert rows["gru"]["improvement"] == improvement(ours, theirs).value == pytest.approx(0.5 + 1 / 36)
    assert rows["lstm"]["improvement"] is None


def test_a_failed_run_is_worse_than_any_other(make_run, tmp_path):
    for length in (50, 99):
        make_run(f"l{length}", f"task.length={length}", value=0.01)
        make_run(f"r{length}", "cell=rnn", f"task.length={length}", value=1e6)
        make_run(f"g{length}", "cell=gru", f"task.length={length}", status="failed")
    first, poor, last = compare([tmp_path]).over_tasks
    assert (first["cell"], first["score"], first["rank"]) == ("lstm", pytest.approx(0.94), 1.0)
    assert (poor["cell"], poor["rank"]) == ("rnn", 2.0)
    assert (last["cell"], last["score"], last["failed"], last["improvement"]) == ("gru", -1.0, 2, None)
    assert -1.0 < poor["score"] < -0.999


def test_scores_do_not_depend_on_the_other_cells(two_tasks, make_run, tmp_path):
    before = {row["cell"]: row["score"] for row in compare([tmp_path]).over_tasks}
    for number, (cell, value) in enumerate([("rnn", 0.0001), ("lem", 9.0), ("mgu", None)]):
        for length in (50, 99):
            ended = {"status": "failed"} if value is None else {"value": value}
            make_run(f"{9 - number}-{length}", f"cell={cell}", f"task.length={length}", **ended)
    after = {row["cell"]: row["score"] for row in compare([tmp_path]).over_tasks}
    assert len(after) == 5
    assert {cell: after[cell] for cell in before} == before


def test_a_reference_value_of_the_task_scores_1(make_run, tmp_path):
    for length in (50, 99):
        make_run(str(length), f"task.length={length}", value=0.1, reference_value=0.1)
    assert compare([tmp_path]).over_tasks[0]["score"] == pytest.approx(1.0)


def test_tasks_and_corpora_say_which_value_scores_1(make_run, tmp_path):
    published = {
        ("char_lm", "text8"): 1.43, ("char_lm", "shakespeare"): 0.0, ("word_lm", "ptb"): math.log(57.3),
        ("chorales", "jsb"): 5.56, ("sentiment", "imdb"): 0.919, ("sentiment", "generated"): 1.0,
    }  # fmt: skip
    for (task, corpus), value in published.items():
        assert task_entry(task).cls(corpus=corpus).reference_value == pytest.approx(value)
    # A run that is as good scores 1, by the summary of its task.
    for length, corpus in ((60, "text8"), (70, "enwik8")):
        value = task_entry("char_lm").cls(corpus=corpus).reference_value
        make_run(corpus, f"task.length={length}", value=value, baselines={"bigram": 4.0}, reference_value=value)
    make_run("short", "task.length=50", value=0.0, reference_value=task_entry("adding").cls().reference_value)
    assert compare([tmp_path]).over_tasks[0]["score"] == pytest.approx(1.0)


def test_a_task_whose_baseline_is_perfect_has_no_score(make_run, tmp_path):
    make_run("a", "task.length=50", value=0.1)
    make_run("b", "task.length=99", value=0.5, baselines={"copy": 0.0})
    comparison = compare([tmp_path])
    (row,) = comparison.over_tasks
    assert (row["tasks"], row["tasks_scored"], row["score"]) == (2, 1, pytest.approx(0.4))
    assert comparison.notes == [
        "over tasks: no score for adding length=99, whose runs record no baseline that can be improved"
    ]


def test_a_cell_without_runs_in_every_task_is_left_out_and_named(two_tasks, make_run, tmp_path):
    make_run("rnn", "cell=rnn", "task.length=50")
    comparison = compare([tmp_path])
    assert {row["cell"] for row in comparison.over_tasks} == {"lstm", "gru"}
    assert comparison.notes == ["over tasks: left out, because not every task has a run of them: rnn"]


def test_one_task_has_no_table_over_tasks(make_run, tmp_path):
    make_run("a")
    comparison = compare([tmp_path])
    assert (comparison.over_tasks, comparison.notes) == ([], [])


def test_critical_differences_are_those_of_the_published_table():
    # Demšar 2006, table 5: q at 5 % of 2, 4 and 10 classifiers; his example: 4 on 14 data sets differ by 1.25.
    for cells, q in ((2, 1.960), (4, 2.569), (10, 3.164)):
        assert critical_difference(cells, 1) == pytest.approx(q * (cells * (cells + 1) / 6) ** 0.5, abs=0.005)
    assert critical_difference(4, 14) == pytest.approx(1.25, abs=0.005)


def test_cells_are_ranked_by_the_ranks_of_their_runs_and_failures_are_last():
    inf = float("inf")
    found = rank_cells([{"a": [0.1, inf], "b": [0.2, 0.3], "c": [9.0, 9.0]}, {"a": [1.0], "b": [1.0], "c": [inf]}])
    # Runs of the first task: a 1 and 6, b 2 and 3, c 4.5 twice; means 3.5, 2.5, 4.5. In the second a and b tie.
    assert found.average == {"a": (2 + 1.5) / 2, "b": (1 + 1.5) / 2, "c": 3.0}


def test_bars_join_the_largest_groups_within_the_critical_difference():
    assert groups([1.0, 1.5, 2.4, 4.0], 1.0) == [(0, 1), (1, 2)]
    assert groups([1.0, 3.0], 1.0) == []
    assert groups([1.0, 1.2, 1.4], 1.0) == [(0, 2)]
