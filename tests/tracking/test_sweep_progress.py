"""Many runs in one bar: a line for each that has finished, and a count that ends where it should."""

import io

import pytest

from lstmlab.tracking.sweep_progress import SweepProgress

SUMMARY = {
    "metric": "mse", "validation": {"mse": 0.125}, "steps": 400, "seconds": {"train": 60.0, "compile": 5.0},
}  # fmt: skip


@pytest.fixture
def out():
    return io.StringIO()


def test_a_finished_run_is_one_line_with_its_place_in_the_sweep(out):
    bar = SweepProgress(3, 1200, out=out)
    bar.job_failed()
    bar.finished("0: cell=lstm", SUMMARY)
    assert out.getvalue() == "[2/3] 0: cell=lstm · 400 steps · 1 min 05 s · validation/mse 0.125\n"


def test_a_metric_that_is_no_number_is_a_dash(out):
    SweepProgress(1, 400, out=out).finished("a", SUMMARY | {"validation": {"mse": float("nan")}})
    assert out.getvalue().endswith("validation/mse –\n")


def test_steps_are_counted_over_all_runs(out, capsys):
    bar = SweepProgress(2, 10, out=out)
    for steps in (3, 3, 4):
        bar.advance(steps)
    assert (bar.steps, bar.total) == (10, 10)
    bar.close()
    assert capsys.readouterr().out == out.getvalue() == ""
