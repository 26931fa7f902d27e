"""Differences that rounding makes are no differences between runs."""

import itertools

import numpy as np
import pytest

from lstmlab.study import compare, importance
from lstmlab.study.statistics import clearly_less, improvement
from lstmlab.tracking.files import RunError


@pytest.mark.parametrize("value", [1.0, -3.0, 1e-8, 1e8])
def test_metrics_that_differ_by_rounding_have_nothing_to_explain(value, make_run, tmp_path):
    for number, (rate, size) in enumerate(itertools.product((0.1, 0.2), (8, 16, 32))):
        rounded = float(np.float32(value)) * (1 + 1.2e-7 * (number % 3))
        make_run(str(number), f"optimizer.learning_rate={rate}", f"model.hidden_size={size}", value=rounded)
    with pytest.raises(RunError, match="all 6 runs have the same validation metric"):
        importance([tmp_path])


@pytest.mark.parametrize("value", [1.0, -3.0, 1e-8])
def test_a_difference_of_rounding_is_a_tie(value):
    ours, theirs = [value * (1 + 1e-7), value, value], [value, value * (1 - 1e-7), value]
    assert improvement([ours], [theirs]).value == 0.5
    assert improvement([[value] * 3], [[value + abs(value) * 1e-4] * 3]).value == 1.0
    assert improvement([[np.inf, value] * 2], [[np.inf] * 4]).value == 0.75


def test_clearly_less():
    assert clearly_less(1.0, 1.001)
    assert not clearly_less(1.0, 1.0 + 1e-7)
    assert not clearly_less(0.0, 0.0)
    assert clearly_less(0.0, 1e-12)
    assert not clearly_less(2.0, 1.0)


def test_a_baseline_is_not_beaten_by_rounding(make_run, tmp_path):
    for seed in range(2):
        make_run(f"lstm{seed}", f"seed={seed}", value=0.5)
    baseline = compare([tmp_path]).rows[0]["baseline"]
    for seed in range(2):
        make_run(f"gru{seed}", "cell=gru", f"seed={seed}", value=baseline * (1 - 1e-7))
    learned = {row["cell"]: row["learned"] for row in compare([tmp_path]).rows}
    assert learned["gru"] == 0
