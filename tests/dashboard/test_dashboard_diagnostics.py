"""The page of a run shows what ``lstmlab explain`` has written where it writes it."""

import pytest

pytest.importorskip("dash")
from lstmlab.dashboard.diagnostics import findings
from lstmlab.explain.command import FOLDER
from lstmlab.explain.findings import FILE, Axis, Finding, Placed, RunFindings


def write(run, *placed):
    (run / FOLDER).mkdir()
    RunFindings({"cell": "lstm"}, {"split": "test"}, findings=list(placed)).write(run / FOLDER / FILE)


def at(checkpoint, step, values):
    lags = Axis("lag", "steps", [0, 1, 2])
    finding = Finding("state_jacobian", "singular values", lags, "1", {"typical": values}, "log", ["of 4 sequences"])
    return Placed("gradients", checkpoint, step, 0, finding)


def test_the_best_model_is_drawn_though_later_ones_were_kept(tmp_path):
    assert findings(tmp_path) == ([], "")
    write(
        tmp_path, at("initialisation", 0, [1.0, 9.0, 9.0]), at("best", 3, [1.0, 0.5, None]), at("step 5", 5, [7.0] * 3)
    )
    [(title, figure, notes)], wrong = findings(tmp_path)
    assert (title, notes, wrong) == ("singular values (layer 0)", ["of 4 sequences"], "")
    assert list(figure.data[0].y)[:2] == [1.0, 0.5]
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.type) == ("lag (steps)", "log")


def test_gates_are_named_along_the_axis(tmp_path):
    gates = Finding("gate_summary", "gates", Axis("gate", "", ["input", "forget"]), "", {"mean": [0.2, 0.8]})
    write(tmp_path, Placed("gates", "best", 3, 0, gates))
    [(_, figure, _)], _ = findings(tmp_path)
    assert list(figure.layout.xaxis.ticktext) == ["input", "forget"]
    assert {trace.mode for trace in figure.data} == {"markers"}


def test_a_file_of_another_form_is_named(tmp_path):
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / FILE).write_text("{}")
    drawn, wrong = findings(tmp_path)
    assert drawn == []
    assert f"{FOLDER}/{FILE} is not what lstmlab explain writes" in wrong
