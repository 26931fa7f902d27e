"""Findings in W&B: curves over axes of their own, values over checkpoints, and figures, beside the run itself."""

import math

import pytest
from small_runs import small
from wandb_reader import read_history, read_run, wandb_files

from lstmlab.config import save_config, to_tree
from lstmlab.explain.draw import draw_run
from lstmlab.explain.findings import Axis, Finding, Placed, RunFindings
from lstmlab.explain.publish import curve_rows, publish_findings, scalars
from lstmlab.tracking import RunError, WandbSettings
from lstmlab.tracking.wandb_settings import remember

CHECKPOINTS = {"initialisation": 0, "step 2": 2, "best": 4}


def findings(layers=1):
    found = RunFindings(
        {"cell": "lstm", "task": "adding", "seed": 0, "metric": "mse", "value": 0.5, "directory": "somewhere"},
        {"split": "test", "sequences": 8},
        [{"name": name, "step": step} for name, step in CHECKPOINTS.items()],
    )
    for checkpoint, step in CHECKPOINTS.items():
        for layer in range(layers):
            gates = Finding("gate_summary", "gates", Axis("gate", "", ["forget", "input"]), "1",
                            {"mean": [0.5 + step / 8, 0.25], "open": [layer, None]})  # fmt: skip
            gradient = Finding("loss_gradient", "gradient", Axis("lag", "steps", [0, 1, 5]), "1",
                               {"median": [1.0, 0.5 * layer + 0.25, math.nan], "low": [0.1, 0.1, 0.1]})  # fmt: skip
            time = Finding("time_constants_units_forget", "time", Axis("unit", "", [0, 1]), "steps",
                           {"time constant": [2.0, 8.0]}, "log")  # fmt: skip
            found.findings += [Placed("gates", checkpoint, step, layer, one) for one in (gates, time)]
            found.findings.append(Placed("gradients", checkpoint, step, layer, gradient))
    return found


@pytest.fixture
def run(tmp_path):
    """A function that makes the directory of a run with these overrides, as far as it is read here."""

    def make(*overrides, known=None):
        save_config(to_tree(small("adding", *overrides)), tmp_path / "config.yaml")
        if known is not None:
            remember(tmp_path, known, "abc")
        return tmp_path

    return make


def test_values_along_names_are_scalars_at_the_steps_of_checkpoints():
    rows = dict(scalars(findings()))
    assert list(rows) == [0, 2, 4]
    assert rows[2] == {
        "explain/gates/gate_summary/mean/forget": 0.75, "explain/gates/gate_summary/mean/input": 0.25,
        "explain/gates/gate_summary/open/forget": 0.0,
    }  # fmt: skip


def test_values_along_numbers_are_curves_over_their_axis():
    rows = list(curve_rows(findings()))
    lags = {at: row for axis, at, row in rows if axis == "explain/axis/lag"}
    assert lags[0]["explain/gradients/loss_gradient/median/step_2"] == 1.0
    assert set(lags) == {0.0, 1.0}, "what is not finite is left out"
    assert not any("/low/" in name for _, _, row in rows for name in row), "only what figures show"
    units = [row for axis, _, row in rows if axis == "explain/axis/unit"]
    assert units[1]["explain/gates/time_constants_units_forget/time_constant/best"] == 8.0


def test_the_highest_layer_has_the_names_of_a_single_one():
    [row] = [row for axis, at, row in curve_rows(findings(layers=2)) if (axis, at) == ("explain/axis/lag", 1.0)]
    assert row["explain/gradients/loss_gradient/median/best"] == 0.75
    assert row["explain/gradients/loss_gradient/median/best/layer0"] == 0.25


def test_they_are_a_run_of_their_own_in_the_group_of_the_run(run, tmp_path):
    known = WandbSettings(project="bench", group="sweep 1", tags=["a"], job_type="train", name="a run")
    found, folder = findings(), tmp_path / "explain"
    folder.mkdir()
    found.refuse("memory", "probes need scikit-learn")
    directory = run("wandb.mode=offline", "name=mine", known=known)
    svg = draw_run(found, folder, "svg")
    assert publish_findings(found, directory, folder, svg, None)
    told = read_run(folder)
    assert (told["project"], told["group"], told["job_type"]) == ("bench", "sweep 1", "explain")
    assert (told["name"], told["tags"], told["exit_code"]) == ("explain mine", ["a"], 0)
    assert told["config"]["cell"]["name"] == small("adding").cell.name
    assert told["config"]["explained"]["wandb_id"] == "abc" != told["id"]
    name = "explain/gradients/loss_gradient/median/best"
    assert told["metrics"][name]["step"] == "explain/axis/lag"
    history = read_history(folder)
    assert [(row["explain/axis/lag"], row[name]) for row in history if name in row] == [(0, 1.0), (1, 0.25)]
    means = [(row["step"], row["explain/gates/gate_summary/mean/forget"]) for row in history if len(row) == 4]
    assert means == [(0, 0.5), (2, 0.75), (4, 1.0)]
    media = {key: row[key]["_type"] for row in history for key in row if isinstance(row[key], dict)}
    assert media == {
        "explain/figures/gradients": "image-file", "explain/figures/gates": "image-file",
        "explain/refusals": "html-file",
    }  # fmt: skip
    [file] = wandb_files(folder)
    assert len(list(file.parent.glob("files/media/images/explain/figures/*.png"))) == 2
    assert (directory / "wandb_id.txt").read_text() == "abc\n", "the run itself stays who it is"


def test_figures_of_several_layers_are_named_as_values_are(run, tmp_path):
    folder = tmp_path / "explain"
    folder.mkdir()
    found = findings(layers=2)
    figures = draw_run(found, folder, "png")
    assert publish_findings(found, run(), folder, figures, "offline")
    media = {key for row in read_history(folder) for key in row if key.startswith("explain/figures/")}
    assert media == {f"explain/figures/{name}{layer}" for name in ("gates", "gradients") for layer in ("", "/layer0")}


@pytest.mark.parametrize(
    ("overrides", "known", "mode", "sent"),
    [
        (["wandb.mode=disabled"], WandbSettings(), None, False),
        (["wandb.mode=disabled"], None, "offline", True),
        (["wandb.mode=offline"], WandbSettings(), "disabled", False),
        (["wandb.mode=offline"], None, None, True),  # of a version that remembered nothing
        (["wandb.mode=auto"], WandbSettings(), None, True),
        (["wandb.mode=auto"], None, None, False),  # WANDB_MODE=disabled when it was trained
    ],
)
def test_the_run_decides_whether_unless_the_command_does(run, tmp_path, overrides, known, mode, sent):
    folder = tmp_path / "explain"
    folder.mkdir()
    assert publish_findings(findings(), run(*overrides, known=known), folder, [], mode) == sent
    assert (folder / "wandb").exists() == sent


def test_a_damaged_memory_of_the_run_is_refused(run, tmp_path):
    directory = run("wandb.mode=offline")
    (directory / "wandb_run.json").write_text("[]")
    with pytest.raises(RunError, match=r"wandb_run\.json does not say"):
        publish_findings(findings(), directory, tmp_path, [], None)
