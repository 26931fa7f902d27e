import json
import os

import numpy as np
import pytest
from run_directories import append, row

from lstmlab.dashboard.rows import Rows


@pytest.fixture
def rows(tmp_path):
    return Rows(tmp_path / "metrics.jsonl")


def steps_of(rows, metric="train/loss"):
    return rows.curve(metric)[0].tolist()


def test_only_new_bytes_are_parsed(rows, tmp_path, monkeypatch):
    append(tmp_path, row(10), row(20))
    assert rows.poll()
    parsed = []
    monkeypatch.setattr(json, "loads", lambda text, load=json.loads: parsed.append(text) or load(text))
    assert not rows.poll()
    append(tmp_path, row(30))
    assert rows.poll()
    assert steps_of(rows) == [10, 20, 30]
    assert b"".join(parsed).count(b'step"') == 1
    assert rows.step == 30
    assert rows.last["validation/mse"] == 2 / 30


def test_a_half_written_row_is_read_when_it_is_whole(rows, tmp_path):
    text = json.dumps(row(10)) + "\n" + json.dumps(row(20)) + "\n"
    for end in range(1, len(text) + 1):
        (tmp_path / "metrics.jsonl").write_text(text[:end])
        os.utime(tmp_path / "metrics.jsonl")
        rows.poll()
        assert steps_of(rows) == [10, 20][: text[:end].count("\n")]
        assert not rows.bad


@pytest.mark.parametrize(
    "line", ["", "{", "[1]", "7", '{"train/loss": 1}', '{"step": "x"}', '{"step": 1, "a": null}', "\x00", "[" * 100_000,
             '{"step": 1},{"step": 2}', '{"step": 1e999}', '{"step": 5, "a": [1]}'],
)  # fmt: skip
def test_garbled_rows_are_counted_and_left_out(rows, tmp_path, line):
    append(tmp_path, row(10))
    with (tmp_path / "metrics.jsonl").open("a") as stream:
        stream.write(line + "\n")
    append(tmp_path, row(30))
    rows.poll()
    assert (steps_of(rows), rows.bad, rows.first_bad) == ([10, 30], 1, 2)


def test_values_that_are_not_finite_are_numbers(rows, tmp_path):
    append(tmp_path, row(10, a=float("nan")), row(20, a=float("inf")), row(30, a=float("-inf")))
    rows.poll()
    np.testing.assert_array_equal(rows.curve("a")[1], [np.nan, np.inf, -np.inf])


def test_metrics_may_come_later_and_not_in_every_row(rows, tmp_path):
    append(tmp_path, row(10), row(20, extra=5.0), row(30), row(40, extra=6.0))
    rows.poll()
    assert steps_of(rows, "extra") == [20, 40]
    assert steps_of(rows, "no such metric") == []


@pytest.mark.parametrize("how", ["replaced", "cut", "same place"])
def test_a_file_that_a_resumed_run_writes_anew_is_read_from_its_start(rows, tmp_path, how):
    path = tmp_path / "metrics.jsonl"
    append(tmp_path, row(10), row(20), row(30))
    rows.poll()
    if how == "replaced":
        other = tmp_path / "other"
        other.write_text(json.dumps(row(10)) + "\n")
        other.replace(path)
    elif how == "cut":
        path.write_text(json.dumps(row(10)) + "\n")
    else:  # as long as before or longer, under the number of the old file
        path.write_text("".join(json.dumps(row(step)) + "\n" for step in (11, 21, 31, 41)))
    assert rows.poll()
    assert steps_of(rows) == ([11, 21, 31, 41] if how == "same place" else [10])


def test_a_missing_file_has_no_rows_and_one_that_vanishes_loses_them(rows, tmp_path):
    assert not rows.poll()
    append(tmp_path, row(10))
    rows.poll()
    (tmp_path / "metrics.jsonl").unlink()
    assert rows.poll()
    assert (steps_of(rows), rows.step, rows.last) == ([], 0, {})


def test_more_than_is_read_at_once_is_read_by_the_next_calls(rows, tmp_path, monkeypatch):
    monkeypatch.setattr("lstmlab.dashboard.rows._LARGEST", 200)
    append(tmp_path, *(row(step) for step in range(1, 11)))
    polls = 0
    while rows.poll():
        polls += 1
    assert polls > 2
    assert steps_of(rows) == list(range(1, 11))
