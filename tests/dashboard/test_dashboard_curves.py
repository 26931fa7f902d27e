from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("dash")

from run_directories import append, finished, row, write_run

from lstmlab.dashboard.curves import _quantiles, group_curve, in_seconds
from lstmlab.dashboard.figures import cost_figure, keys_figure, panel, results_figure, styles
from lstmlab.dashboard.run import DIVERGED, FINISHED, RUNNING, Run
from lstmlab.dashboard.watch import Watch


def run(name, state=FINISHED, value=None, **config):
    summary = finished(value) if value is not None else {}
    return Run(
        name, name, Path(name), {key.replace("__", "."): each for key, each in config.items()}, state, summary=summary
    )


def test_the_line_of_a_group_is_the_median_of_the_runs_that_have_reached_a_step():
    steps = np.arange(1.0, 5)
    series = {"a": (steps, steps), "b": (steps, 3 * steps), "c": (steps[:2], 5 * steps[:2])}
    curve = group_curve([run(name) for name in "abc"], series, single=True)
    assert np.asarray(curve.xs).tolist() == [1, 2, 3, 4]
    assert np.asarray(curve.ys).tolist() == [3, 6, 6, 8]
    assert np.asarray(curve.lows).tolist() == [1, 2, 3, 4]
    assert np.asarray(curve.highs).tolist() == [5, 10, 9, 12]
    assert list(curve.runs) == ["a", "b", "c"]


def test_quantiles_leave_out_what_is_missing():
    values = np.random.default_rng(0).normal(size=(25, 40))
    values[np.random.default_rng(1).random(values.shape) < 0.4] = np.nan
    values[0] = 1.0
    np.testing.assert_allclose(
        _quantiles(values, [0, 0.1, 0.5, 0.9, 1]), np.nanquantile(values, [0, 0.1, 0.5, 0.9, 1], 0)
    )


def test_runs_without_rows_or_finite_values_do_not_disturb_a_group():
    nothing = np.zeros(0)
    series = {
        "a": (nothing, nothing),
        "b": (np.array([1.0]), np.array([np.nan])),
        "c": (np.array([1.0]), np.array([2.0])),
    }
    curve = group_curve([run("a", RUNNING), run("b", DIVERGED), run("c")], series, single=True)
    assert np.asarray(curve.ys).tolist() == [2]
    assert list(curve.failed) == ["b"]
    assert len(np.asarray(group_curve([run("a")], series, single=True).xs)) == 0
    assert len(np.asarray(group_curve([run("b")], series, single=True).xs)) == 0


def test_long_curves_of_many_runs_are_thinned():
    steps = np.arange(10_000.0)
    series = {str(i): (steps, steps) for i in range(20)}
    curve = group_curve([run(str(i)) for i in range(20)], series, single=False)
    assert len(np.asarray(curve.xs)) <= 301
    assert (np.asarray(curve.xs)[0], np.asarray(curve.xs)[-1]) == (0, 9999)
    assert not curve.runs


def test_seconds_come_from_the_speed_that_is_logged():
    xs, ys = in_seconds((np.array([100.0, 200]), np.array([7.0, 8])), (np.array([100.0, 200]), np.array([50.0, 100])))
    assert xs.tolist() == [2, 3]
    assert ys.tolist() == [7, 8]
    assert len(in_seconds((np.ones(1), np.ones(1)), (np.ones(1), np.array([np.nan])))[0]) == 0


def test_a_cell_keeps_its_colour_whatever_is_grouped_and_filtered():
    runs = [run(f"{cell}{size}", cell__name=cell, size=size) for cell in ("gru", "lstm") for size in (1, 2)]
    cells = ["gru", "lstm", "rnn"]
    both = styles({"gru": runs[:2], "lstm": runs[2:]}, cells)
    alone = styles({"lstm": runs[2:]}, cells)
    fine = styles({each.name: [each] for each in runs}, cells)
    assert both["lstm"] == alone["lstm"]
    assert fine["lstm1"].colour == fine["lstm2"].colour == both["lstm"].colour
    assert fine["lstm1"].dash != fine["lstm2"].dash
    assert fine["gru1"].colour != fine["lstm1"].colour


def test_results_need_finished_runs():
    groups = {
        "gru": [run(str(i), value=float(i), learning_rate=10.0**-i) for i in range(4)],
        "lstm": [run("x", RUNNING)],
    }
    looks = styles(groups, [])
    results, cost, keys = results_figure(groups, looks), cost_figure(groups, looks), keys_figure(groups)
    assert results is not None and cost is not None and keys is not None
    (estimate,) = [trace for trace in results.data if trace.name == "gru"]
    assert estimate.x[0] == 1.5
    half = 3.182446 * np.std([0, 1, 2, 3], ddof=1) / 2  # Student's t with three degrees of freedom
    assert estimate.error_x.array[0] == pytest.approx(half, rel=1e-5)
    assert len(cost.data[0].x) == 4
    assert [axis.label for axis in keys.data[0].dimensions] == ["learning_rate", "test mse"]
    for name in ("lstm", "none"):
        few = {name: groups.get(name, [])}
        assert results_figure(few, looks) is cost_figure(few, looks) is keys_figure(few) is None


def test_names_of_runs_are_no_html_in_figures(tmp_path):
    name = "<img src=x>"
    write_run(tmp_path / name, 3, cell__name=name)
    append(tmp_path / name, row(40, **{name: 1.0}))
    watch = Watch([tmp_path])
    watch.poll()
    runs = watch.snapshot().runs
    text = panel(watch, {name: runs}, name, styles({name: runs}, [name]), seconds=False, log_y=True).to_json()
    assert "<img" not in text.replace("\\u003c", "<")
    assert "&lt;img src=x&gt;" in text.replace("\\u003c", "<").replace("\\u0026", "&")
