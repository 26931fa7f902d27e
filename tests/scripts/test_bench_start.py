"""The benchmark of starting: real commands, at the smallest size."""

import re

import pytest
from processes import started

TINY = ["task=adding", "task.length=5", "model.hidden_size=4", "training.log_every=5", "training.eval_every=5"]


@pytest.mark.slow
def test_a_table_of_seconds_and_memory(tmp_path):
    with started("scripts/bench_start.py", "--rounds", "1", *TINY, "training.steps=1000000") as process:
        outcome = process.end(patience=400)
    assert outcome.code == 0, outcome.err
    rows = re.findall(r"^\| `(.+?)` \| ([\d.]+) \(.*?\) \| (\d+) \|$", outcome.out, re.MULTILINE)
    assert [name for name, _, _ in rows][-2:] == ["first row, cold", "first row, warm"]
    assert all(float(seconds) > 0 and int(mebibytes) > 10 for _, seconds, mebibytes in rows)


@pytest.mark.slow
def test_a_run_that_fails_ends_the_benchmark():
    with started("scripts/bench_start.py", "--rounds", "1", "task=adding", "task.length=0") as process:
        outcome = process.end(patience=400)
    assert outcome.code == 1
    assert "has ended without a row" in outcome.err
