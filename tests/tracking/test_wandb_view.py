"""The view that W&B is sent, read as its server would read it."""

import json
import re

import pytest

from lstmlab.tracking.wandb_view import as_json, make_view

pytest.importorskip("wandb_workspaces")


def view(*arguments):
    return json.loads(as_json(make_view("bench", "team", "mine", *arguments)))


def sections(content):
    config = content["spec"]["section"]["panelBankConfig"]
    return {section["name"]: [panel["config"] for panel in section["panels"]] for section in config["sections"]}


def test_it_says_where_it_goes_and_how_runs_are_grouped():
    content = view()
    assert (content["entity"], content["project"], content["displayName"]) == ("team", "bench", "mine")
    section = content["spec"]["section"]
    assert (section["settings"]["xAxis"], section["settings"]["shouldAutoGeneratePanels"]) == ("step", False)
    [runs] = section["runSets"]
    assert runs["grouping"] == [{"section": "config", "name": "cell.value.name"}]
    assert runs["filters"]["filters"] == []
    assert "config:cell.value.name" in runs["runFeed"]["columnPinned"]


def test_learning_curves_are_a_mean_and_a_band_per_cell_against_steps():
    found = sections(view())
    assert list(found) == ["Learning curves", "Comparison", "Optimisation", "Diagnostics"]
    for panel in found["Learning curves"]:
        assert (panel["xAxis"], panel["groupBy"]) == ("step", "cell.value.name")
        assert (panel["groupAgg"], panel["groupArea"], panel["aggregate"]) == ("mean", "minmax", True)
    loss, validation = found["Learning curves"]
    assert loss["metrics"] == ["train/loss"]
    assert validation["useMetricRegex"] and re.search(validation["metricRegex"], "validation/bpc")


def test_of_one_task_its_metric_has_a_panel_and_other_runs_are_left_out():
    content = view("char_lm", ["bpc"])
    assert [panel["metrics"] for panel in sections(content)["Learning curves"]] == [["train/loss"], ["validation/bpc"]]
    [condition] = content["spec"]["section"]["runSets"][0]["filters"]["filters"]
    assert condition["key"] == {"section": "config", "name": "task.value.name"}
    assert (condition["op"], condition["value"]) == ("=", "char_lm")


def test_diagnostics_are_curves_over_axes_of_their_own_and_figures():
    panels = sections(view())["Diagnostics"]
    axes = {panel["metrics"][0]: panel["xAxis"] for panel in panels if panel.get("metrics")}
    assert axes["explain/gradients/loss_gradient/median/best"] == "explain/axis/lag"
    assert axes["explain/dynamics/lyapunov_exponents/mean/best"] == "explain/axis/exponent"
    assert ["explain/figures/gradients"] in [panel.get("mediaKeys") for panel in panels]
