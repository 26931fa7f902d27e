"""Diagnostics in a report: files of ``lstmlab explain``, side by side."""

import json
import math

import pytest

pytest.importorskip("plotly")
from lstmlab.report.collected import collect
from lstmlab.report.explained import NotExplained, findings_of
from lstmlab.report.sections.diagnostics import diagnostics


def finding(name, values, axis, checkpoint="best", **series):
    return {
        "diagnostic": "gradients", "name": name, "title": f"the {name}", "checkpoint": checkpoint, "step": 9,
        "layer": 0,
        "axis": {"name": axis, "unit": "steps", "scale": "linear", "values": values}, "series": series, "unit": "",
        "scale": "log", "notes": [],
    }  # fmt: skip


def explain(directory, factor=1.0, **more):
    lags = [0, 1, 2]
    findings = [
        finding("state_jacobian", lags, "lag", checkpoint="initialisation", typical=[9.0, 9.0, 9.0]),
        finding("state_jacobian", lags, "lag", largest=[2.0, 2.0, 2.0], typical=[factor, 0.5 * factor, None]),
        finding("gate_summary", ["input", "forget"], "gate", mean=[0.2, factor], open=[0.1, 0.3]),
        finding("gate_trace_forget", lags, "step", mean=[0.1, 0.2, 0.3]),
    ]
    (directory / "explain").mkdir(exist_ok=True)
    content = {"version": 1, "findings": findings} | more
    (directory / "explain" / "explain.json").write_text(json.dumps(content))


def test_findings_on_the_best_model_are_read(many_runs):
    run = many_runs(cells=("lstm",), seeds=1) / "lstm" / "0"
    assert findings_of(run) == []
    explain(run, 0.8)
    jacobian, gates, _ = findings_of(run)
    assert (jacobian.axis, jacobian.main, jacobian.log) == ("lag (steps)", "typical", True)
    assert jacobian.series["typical"][:2] == [0.8, 0.4]
    assert math.isnan(jacobian.series["typical"][2])
    assert gates.xs == ["input", "forget"]


@pytest.mark.parametrize("broken", [{"version": 2}, {"findings": 3}, {"findings": [{"series": 1}]}])
def test_files_of_another_form_are_named(many_runs, broken):
    runs = many_runs(cells=("lstm",), seeds=1)
    explain(runs / "lstm" / "0", **broken)
    with pytest.raises(NotExplained, match=r"lstm/0/explain/explain\.json"):
        findings_of(runs / "lstm" / "0")
    (block,) = diagnostics(collect([runs])).blocks[1:]
    assert block.kind == "caution"


def test_cells_are_laid_side_by_side_with_the_range_of_their_runs(many_runs):
    runs = many_runs(seeds=2)
    explain(runs / "lstm" / "0", 0.8)
    explain(runs / "lstm" / "1", 1.0)
    explain(runs / "gru" / "0", 0.1)
    _, numbers, folded = diagnostics(collect([runs])).blocks
    row = dict(zip(numbers.columns, numbers.rows[0], strict=True))
    assert row == {
        "of the best model": "the state_jacobian (typical)", "at": "lag 1", "lstm": "0.45 [0.4, 0.5]", "gru": "0.05",
    }  # fmt: skip
    figure, table = folded.blocks
    lines = {trace.name: trace for trace in figure.figure.data if trace.name}
    assert lines["lstm"].y[:2].tolist() == pytest.approx([0.9, 0.45])
    assert lines["gru"].y[:2].tolist() == pytest.approx([0.1, 0.05])
    assert figure.figure.layout.yaxis.type == "log"
    assert ["lstm", "forget", "0.9", "0.3"] in table.rows


def test_settings_have_rows_of_their_own_where_there_is_one_cell(many_runs):
    runs = many_runs(cells=("lstm",), seeds=4)
    for seed in (2, 3):
        path = runs / "lstm" / str(seed) / "config.yaml"
        path.write_text(path.read_text().replace("forget_bias: null", "forget_bias: 3.0"))
    labels = [chosen.entry.label for chosen in collect([runs]).comparison.chosen]
    assert sorted(labels) == ["lstm init.forget_bias=3.0", "lstm init.forget_bias=None"]
    assert [chosen.entry.label for chosen in collect([runs], by=["model.layers"]).comparison.chosen] == [
        "lstm model.layers=1"
    ]
