"""Tests of two cells, their correction, their power, and the sentences that tell them."""

import numpy as np
import pytest
from scipy.stats import ttest_ind, ttest_rel

from lstmlab.study import compare
from lstmlab.study.verdicts import Spread, detectable, holm, seeds_needed

OURS, THEIRS = [0.1, 0.12, 0.15, 0.11], [0.14, 0.15, 0.2, 0.14]


@pytest.fixture
def make_cells(make_run, tmp_path):
    """Runs of cells with these values by seed; None fails."""

    def make(first_seed=0, **cells):
        for cell, values in cells.items():
            for seed, value in enumerate(values, start=first_seed):
                ended = {"status": "failed"} if value is None else {"value": value}
                make_run(f"{cell}{seed}", f"cell={cell}", f"seed={seed}", **ended)
        return tmp_path

    return make


def row_of(comparison, cell="gru"):
    return next(row for row in comparison.rows if row["cell"] == cell)


def test_p_values_are_corrected_by_holm():
    # R: p.adjust(c(0.04, 0.01, 0.03, 0.005), "holm")
    assert holm([0.04, 0.01, 0.03, 0.005]) == pytest.approx([0.06, 0.03, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1.0, 1.0]


def test_power_is_that_of_published_tables():
    # Cohen 1988, d = 0.5 and power 0.8 at 5 % two-sided: 34 pairs, or 64 in each of two groups.
    assert seeds_needed(Spread(3, 1.0, True), 0.5, 0.05) == 34
    assert seeds_needed(Spread(3, np.sqrt(2), False), -0.5, 0.05) == 64
    assert detectable(Spread(34, 2.0, True), 0.05) == pytest.approx(1.0, abs=0.02)
    assert seeds_needed(Spread(3, 1.0, True), 0.01, 0.05) is None


def test_same_seeds_are_paired(make_cells):
    row = row_of(compare([make_cells(gru=OURS, lstm=THEIRS)]))
    found = ttest_rel(OURS, THEIRS)
    ends = found.confidence_interval()
    assert (row["test"], row["verdict"]) == ("paired t test", "better")
    assert (row["p"], row["difference"]) == pytest.approx((found.pvalue, np.mean(OURS) - np.mean(THEIRS)))
    assert (row["difference_low"], row["difference_high"]) == pytest.approx((ends.low, ends.high))


def test_other_seeds_or_other_data_are_not_paired(make_cells, make_run, tmp_path):
    make_cells(gru=OURS)
    comparison = compare([make_cells(first_seed=4, lstm=THEIRS)])
    row = row_of(comparison)
    assert (row["test"], row["p"]) == ("Welch's t test", pytest.approx(ttest_ind(OURS, THEIRS, equal_var=False).pvalue))
    for seed, value in enumerate(THEIRS):
        make_run(f"data/l{seed}", f"seed={seed}", value=value, data_hash="a")
        make_run(f"data/g{seed}", "cell=gru", f"seed={seed}", value=value, data_hash="b")
    assert row_of(compare([tmp_path / "data"]))["test"] == "Welch's t test"


def test_where_a_run_failed_ranks_are_compared_and_it_is_the_worst(make_cells):
    theirs = [0.1 + 0.01 * seed for seed in range(8)]
    row = row_of(compare([make_cells(gru=[None, *(value + 0.1 for value in theirs[1:])], lstm=theirs)]))
    assert (row["test"], row["verdict"], row["difference"]) == ("Wilcoxon test", "worse", None)
    assert row["p"] == pytest.approx(2 / 2**8)


def test_verdicts_are_corrected_for_all_comparisons_of_the_task(make_cells):
    comparison = compare([make_cells(gru=OURS, rnn=[v + 0.05 for v in THEIRS], lem=THEIRS[::-1], lstm=THEIRS)])
    assert {row["comparisons"] for row in comparison.rows if row["verdict"]} == {3}
    gru = row_of(comparison)
    assert gru["p_adjusted"] == pytest.approx(2 * gru["p"])  # the second smallest of three
    told, smallest, needed = comparison.verdicts
    assert told == (
        "adding: better than lstm: gru; worse than lstm: rnn; not told apart from lstm: lem "
        "(paired t test, 4 seeds, Holm correction for 3 comparisons, 5 % level)"
    )
    assert smallest.startswith("adding: the smallest difference that these seeds show with power 0.8 is ")
    assert needed.startswith("adding: seeds needed to tell the observed difference, if it is the true one: lem ")


def test_against_the_best_of_the_results_the_correction_is_for_all_pairs(make_cells):
    comparison = compare([make_cells(gru=OURS, rnn=THEIRS, lem=[v + 0.01 for v in THEIRS])])
    assert comparison.reference == "gru"
    assert {row["comparisons"] for row in comparison.rows if row["verdict"]} == {3}


def test_rows_of_one_cell_are_compared_with_the_best_of_them(make_run, tmp_path):
    for size, values in ((8, THEIRS), (16, OURS)):
        for seed, value in enumerate(values):
            make_run(f"{size}-{seed}", f"model.hidden_size={size}", f"seed={seed}", value=value)
    best, other = compare([tmp_path], by=["model.hidden_size"]).rows
    assert (best["verdict"], other["verdict"]) == (None, "worse")
    assert other["reference"] == "lstm model.hidden_size=16"


def test_more_is_better_turns_the_verdict_but_not_the_difference(make_run, tmp_path):
    for seed, (ours, theirs) in enumerate(zip(OURS, THEIRS, strict=True)):
        make_run(f"g{seed}", "cell=gru", f"seed={seed}", value=ours, goal="max")
        make_run(f"l{seed}", f"seed={seed}", value=theirs, goal="max")
    row = row_of(compare([tmp_path]))
    assert row["verdict"] == "worse"
    assert row["difference_low"] < row["difference"] < row["difference_high"] < 0
